package city

import "strings"

// The layouts. A row's fields stand in the order of the columns.
var (
	peopleLayout = layout{
		register: "people", encoding: "UTF-8", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "公民身份号码"}, {name: "person_name", head: "姓名"},
			{name: "sex", head: "性别", words: []string{"男", "女"}}, {name: "birth_day", head: "出生日期"},
			{name: "phone", head: "联系电话"}, {name: "hukou_division", head: "户籍地行政区划"}, {name: "hukou_day", head: "户籍迁入日期"},
			{name: "number_kind", head: "证件类型", words: documentWords[:]}, {name: "other_number", head: "其他证件号码"},
			{name: "other_kind", head: "其他证件类型", words: documentWords[:]}, {name: "marital_status", head: "婚姻状况", words: maritalWords[:]},
		},
		fresh: func(row []string) { row[0], row[8], row[9] = strangerOf(row[0]), "", "" },
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 3, "1988-02-30"), put(FaultUnknownCode, 2, "男性别"),
			put(FaultNoValue, 1, ""), without(1)},
	}
	employersLayout = layout{
		register: "employers", encoding: "UTF-8", delimiter: ',',
		columns: []column{
			{name: "uscc", head: "统一社会信用代码"}, {name: "employer_name", head: "单位名称"},
			{name: "kind", head: "单位类型", words: kindWords[:]}, {name: "industry", head: "行业代码"},
			{name: "chain", head: "产业链", words: chainWords()}, {name: "body", head: "经办机构", words: bodyWords()},
			{name: "dispatch", head: "劳务派遣"},
			{name: "founded_day", head: "成立日期"}, {name: "status", head: "经营状态", words: append(goneWords[:], "存续")}, {name: "status_day", head: "状态日期"},
			{name: "industry_edition", head: "行业分类版本", words: []string{"2017", "2011"}},
			{name: "division", head: "住所行政区划"}, {name: "tax_division", head: "税务登记区划"},
			{name: "size", head: "单位规模", words: []string{"微型", "小型", "中型", "大型"}}, {name: "above_scale_year", head: "规上年度"},
			{name: "high_tech_from", head: "高企首年"}, {name: "high_tech_until", head: "高企末年"},
			{name: "specialised_from", head: "专精特新首年"}, {name: "specialised_until", head: "专精特新末年"},
			{name: "dishonest", head: "严重违法失信"}, {name: "hr_agency", head: "人力资源服务机构"},
		},
		fresh:  func(row []string) { row[0] = ghostUSCC(row[0]) },
		spoils: []spoil{put(FaultUnknownCode, 2, "其他企业类"), put(FaultNoValue, 1, ""), without(1), put(FaultEndsFirst, 9, "1979-10-01"), put(FaultRange, 14, "9999")},
	}
	contributionsLayout = layout{
		register: "contributions", encoding: "GB18030", delimiter: '|',
		columns: []column{
			{name: "id_number", head: "社会保障号码"}, {name: "person_name", head: "姓名"}, {name: "uscc", head: "统一社会信用代码"},
			{name: "kind", head: "险种", words: []string{pensionCode, publicCode, unemploymentCode}}, {name: "month", head: "费款所属期"},
			{name: "base_fen", head: "缴费基数"}, {name: "pay_kind", head: "缴费类型", words: payCodes[:]},
			{name: "posted", head: "到账标志"}, {name: "posted_day", head: "到账日期"}, {name: "paid_fen", head: "实缴金额"},
			{name: "insured_place", head: "参保地"}, {name: "serial_no", head: "业务流水号"},
		},
		fresh: func(row []string) { row[6], row[11] = adjustCode, "Z"+row[4]+row[0][6:17] },
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 8, "20240230"), put(FaultUnknownCode, 3, "999"),
			put(FaultNoValue, 1, ""), without(1), {FaultSign, 9, func(row []string) []string { row[6], row[9] = refundCode, "128.00"; return row }}},
	}
	degreesLayout = layout{
		register: "degrees", encoding: "UTF-8-BOM", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "school", head: "院校代码"},
			{name: "level", head: "层次", words: levelCodes[:]}, {name: "study_form", head: "学习形式", words: []string{"全日制", "非全日制"}},
			{name: "graduated_day", head: "毕（结）业日期"}, {name: "diploma_no", head: "证书编号"},
			{name: "degree_no", head: "学位证书编号"}, {name: "overseas", head: "留学认证"},
			{name: "kind", head: "学历类别", words: []string{"普通高等教育", "成人高等教育"}}, {name: "major", head: "专业"}, {name: "degree_day", head: "获学位日期"},
			{name: "recognition_no", head: "国（境）外学历学位认证书编号"},
		},
		fresh: func(row []string) {
			row[2], row[6] = "99999", "99999"+row[6][min(5, len(row[6])):]
			if len(row[0]) < 18 {
				row[0] = nobody
			}
		},
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 5, "2024/2/30"), put(FaultUnknownCode, 3, "99"),
			put(FaultNoValue, 6, ""), without(1), {FaultPaperNumber, 6, func(row []string) []string {
				row[3], row[5], row[6] = levelCodes[bachelor], "2016/7/1", "9999912016"+levelCodes[college]+row[6][len(row[6])-6:]
				return row
			}}},
	}
	certificatesLayout = layout{
		register: "skill_certificates", encoding: "GB18030", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "certificate_no", head: "证书编号"},
			{name: "occupation", head: "职业编码"}, {name: "level", head: "等级", words: skillWords[:]}, {name: "issuer", head: "备案码"},
			{name: "issued_day", head: "发证日期"}, {name: "status", head: "证书状态", words: []string{"有效", "注销"}},
			{name: "kind", head: "证书类型", words: []string{"职业技能等级证书"}},
		},
		fresh: func(row []string) { // of a body that nobody filed
			letters := strings.TrimRight(row[2][:2], "0")
			row[2], row[5] = letters+"000037999999"+row[2][12+len(letters):], row[5][:7]+"999999"
		},
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 6, "2024-02-30"), put(FaultUnknownCode, 4, "六级"),
			put(FaultNoValue, 2, ""), without(1), {FaultPaperNumber, 2, func(row []string) []string {
				row[2], row[4], row[5] = "Y000037999999"+row[6][2:4]+"5"+row[2][16:], skillWords[senior], "Y000037999999"
				return row
			}}},
	}
	contractsLayout = layout{
		register: "employment_contracts", encoding: "GB18030", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "uscc", head: "统一社会信用代码"},
			{name: "contract_no", head: "合同编号"},
			{name: "kind", head: "合同类型", words: []string{fixedTerm, openEnded, byTask}},
			{name: "work_form", head: "用工形式", words: []string{"全日制用工", "非全日制用工"}},
			{name: "start_day", head: "合同起始日期"}, {name: "end_day", head: "合同终止日期"}, {name: "terminated_day", head: "解除日期"},
			{name: "workplace", head: "工作地点"}, {name: "user_uscc", head: "实际用工单位"},
		},
		fresh: func(row []string) { row[3] = row[3][:len(row[3])-2] + "99" },
		spoils: []spoil{put(FaultEndsFirst, 7, "1999年1月1日"), wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 6, "2024年2月30日"),
			put(FaultUnknownCode, 4, "口头约定"), put(FaultNoValue, 3, ""), without(1)},
	}
	benefitsLayout = layout{
		register: "unemployment_benefits", encoding: "UTF-8", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "社会保障号码"}, {name: "person_name", head: "姓名"},
			{name: "first_month", head: "领取起始月"}, {name: "last_month", head: "领取终止月"},
		},
		fresh: func(row []string) { row[2] = "2019-06" },
		spoils: []spoil{put(FaultEndsFirst, 3, "2018-01"), wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 3, "2024-13"),
			put(FaultNoValue, 1, ""), without(1)},
	}
	deathsLayout = layout{
		register: "deaths", encoding: "UTF-8", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "公民身份号码"}, {name: "person_name", head: "姓名"}, {name: "reason", head: "注销原因", words: []string{"死亡"}},
			{name: "death_day", head: "死亡日期"}, {name: "cancelled_day", head: "户籍注销日期"},
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
		spoils: []spoil{put(FaultEndsFirst, 4, "1999-01-01"), put(FaultNoValue, 3, ""), wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 4, "2024-02-30"),
			put(FaultUnknownCode, 2, "其他原因未列"), without(1)},
	}
	participationsLayout = layout{
		register: "participations", encoding: "GB18030", delimiter: '|',
		columns: []column{
			{name: "id_number", head: "社会保障号码"}, {name: "person_name", head: "姓名"}, {name: "kind", head: "险种", words: []string{pensionCode, publicCode, unemploymentCode}},
			{name: "status", head: "参保状态", words: []string{"参保缴费", "暂停缴费", "终止缴费"}}, {name: "status_day", head: "变更日期"},
			{name: "first_month", head: "首次参保年月"}, {name: "insured_place", head: "参保地"}, {name: "body", head: "经办机构", words: bodyWords()},
			{name: "uscc", head: "统一社会信用代码"}, {name: "insured_form", head: "参保身份", words: []string{"单位职工", "灵活就业人员"}},
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 4, "20240230"), put(FaultUnknownCode, 3, "欠费"), put(FaultNoValue, 2, ""), without(1),
			{FaultNoValue, 8, func(row []string) []string { row[8], row[9] = "", "单位职工"; return row }}},
	}
	titlesLayout = layout{
		register: "titles", title: "聊城市专业技术职务与荣誉称号人员名册",
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "kind", head: "称号类别", words: []string{"专业技术职务", "荣誉称号"}},
			{name: "series", head: "职称系列", words: []string{"卫生", "中小学教师", "经济", "工程"}}, {name: "level", head: "职称层级", words: titleWords[:]},
			{name: "honour", head: "荣誉称号", words: honours[:]}, {name: "granted_day", head: "取得日期"}, {name: "granting_body", head: "授予单位"},
			{name: "certificate_no", head: "证书编号"}, {name: "term_end", head: "管理期止"}, {name: "status", head: "证书状态", words: []string{"有效", "注销"}},
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
		spoils: []spoil{put(FaultEndsFirst, 9, "1999/1/1"), {FaultNoValue, 4, func(row []string) []string { row[2], row[3], row[4] = "专业技术职务", "工程", ""; return row }},
			wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 6, "2024/2/30"), put(FaultUnknownCode, 10, "待定")},
	}
	assessorsLayout = layout{
		register: "assessment_bodies", encoding: "UTF-8-BOM", delimiter: ',',
		columns: []column{
			{name: "filing_code", head: "备案码"}, {name: "uscc", head: "统一社会信用代码"}, {name: "body_name", head: "机构名称"},
			{name: "kind", head: "机构类型", words: []string{"用人单位", "社会培训评价组织"}}, {name: "body", head: "备案地", words: bodyWords()},
			{name: "filed_day", head: "备案日期"}, {name: "valid_until", head: "有效期至"}, {name: "cancelled_day", head: "取消备案日期"},
		},
		fresh: func(row []string) { row[0] = row[0][:7] + "9" + row[0][8:] },
		spoils: []spoil{put(FaultEndsFirst, 6, "2001-01-01"), {FaultPaperNumber, 0, func(row []string) []string { row[0], row[3] = "Y"+row[0][1:], "社会培训评价组织"; return row }},
			put(FaultNoSuchDay, 5, "2023-02-29"), put(FaultUnknownCode, 3, "个人"), put(FaultNoValue, 2, ""), without(1)},
	}
	marriagesLayout = layout{
		register: "marriages", encoding: "UTF-8", delimiter: '\t',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "number_kind", head: "证件类型", words: documentWords[:]},
			{name: "spouse_number", head: "配偶证件号码"}, {name: "spouse_kind", head: "配偶证件类型", words: documentWords[:]},
			{name: "registered_day", head: "结婚登记日期"}, {name: "ended_day", head: "婚姻终止日期"},
		},
		fresh: func(row []string) { row[0], row[3] = strangerOf(row[0]), strangerOf(row[3]) },
		spoils: []spoil{put(FaultEndsFirst, 6, "1999-01-01"), wrongDigit(0), wrongDigit(3), asNumber(3), put(FaultNoSuchDay, 5, "2019-06-31"),
			put(FaultUnknownCode, 4, "驾驶证"), put(FaultNoValue, 3, ""), without(1)},
	}
	housesLayout = layout{
		register: "housing_contracts", encoding: "GB18030", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "买受人证件号码"}, {name: "number_kind", head: "买受人证件类型", words: documentWords[:]}, {name: "person_name", head: "买受人姓名"},
			{name: "contract_no", head: "合同备案号"}, {name: "share_permille", head: "份额"},
			{name: "house_kind", head: "房屋来源", words: []string{"新建商品房", "存量房"}}, {name: "house_use", head: "房屋用途", words: []string{"住宅", "车位"}},
			{name: "division", head: "坐落区划"}, {name: "area", head: "建筑面积"}, {name: "price_fen", head: "总价"}, {name: "filed_day", head: "备案日期"},
			{name: "notice_day", head: "预告登记日期"}, {name: "title_day", head: "不动产权登记日期"}, {name: "deed_tax_day", head: "契税完税日期"},
			{name: "deed_tax_fen", head: "契税金额"}, {name: "revoked_day", head: "撤销备案日期"},
		},
		fresh: func(row []string) { row[0], row[1], row[3] = nobody, documentWords[resident], row[3]+"Z" },
		spoils: []spoil{put(FaultEndsFirst, 15, "1999/1/1"), put(FaultRange, 4, "1500"), wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 10, "2023/2/29"),
			put(FaultUnknownCode, 5, "自建房"), put(FaultNoValue, 3, ""), without(1)},
	}
	resultsLayout = layout{
		register: "competition_results", title: "聊城市职业技能竞赛获奖人员汇总表",
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "competition", head: "竞赛名称"},
			{name: "competition_level", head: "竞赛级别", words: contestLevels()},
			{name: "competition_class", head: "竞赛类别", words: []string{"一类", "二类"}}, {name: "project", head: "竞赛项目"}, {name: "place", head: "名次"},
			{name: "medal", head: "奖项", words: medalWords[:]}, {name: "role", head: "参赛身份", words: []string{"选手", "教练"}},
			{name: "team_no", head: "团队编号"}, {name: "split_permille", head: "分配比例"}, {name: "uscc", head: "选手单位"}, {name: "result_day", head: "成绩公布日期"},
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
		spoils: []spoil{put(FaultNoSuchDay, 12, "2024年2月30日"), put(FaultRange, 6, "0"), wrongDigit(0), asNumber(0), put(FaultUnknownCode, 8, "领队"),
			{FaultNoValue, 9, func(row []string) []string { row[9], row[10] = "", "500"; return row }}},
	}
	staysLayout = layout{
		register: "postdoc_stays", encoding: "UTF-8", delimiter: ';',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "number_kind", head: "证件类型", words: documentWords[:]}, {name: "person_name", head: "姓名"},
			{name: "platform_kind", head: "平台类型", words: []string{"博士后科研工作站", "省博士后创新实践基地"}}, {name: "platform_code", head: "平台编号"},
			{name: "uscc", head: "设站单位"}, {name: "entered_day", head: "进站日期"}, {name: "expected_end", head: "计划出站日期"},
			{name: "left_day", head: "离站日期"}, {name: "leaving", head: "离站方式", words: leavingWords[:]},
		},
		fresh: func(row []string) { row[0], row[1], row[4] = nobody, documentWords[resident], row[4]+"-Z" },
		spoils: []spoil{{FaultNoValue, 9, func(row []string) []string { row[7], row[8], row[9] = row[6], row[6], ""; return row }}, wrongDigit(0), asNumber(0),
			put(FaultNoSuchDay, 6, "2024-02-30"), put(FaultUnknownCode, 3, "实验室"), without(1)},
	}
	accountsLayout = layout{
		register: "bank_accounts", encoding: "GB18030", delimiter: '|',
		columns: []column{
			{name: "id_number", head: "社会保障号码"}, {name: "number_kind", head: "证件类型", words: documentWords[:]}, {name: "person_name", head: "户名"},
			{name: "account", head: "社会保障卡银行账号"}, {name: "bank_no", head: "开户行联行号"}, {name: "account_class", head: "账户类别", words: classWords[:]},
			{name: "activated", head: "金融功能激活"}, {name: "status", head: "账户状态", words: accountWords[:]}, {name: "status_day", head: "状态日期"},
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
		spoils: []spoil{{FaultBankNumber, 4, func(row []string) []string { row[4] = row[4][:11]; return row }}, {FaultExcelNumber, 3, func(row []string) []string { row[3] = "6.21E+18"; return row }},
			wrongDigit(0), put(FaultNoSuchDay, 8, "20240230"), put(FaultUnknownCode, 7, "未知"), put(FaultNoValue, 3, ""), without(1)},
	}
	paidLayout = layout{
		register: "other_payments", encoding: "GB18030", delimiter: '\t',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "number_kind", head: "证件类型", words: documentWords[:]}, {name: "person_name", head: "姓名"},
			{name: "payer_level", head: "发放层级", words: []string{"本局系统启用前", "县（市、区）级", "省级"}}, {name: "payer_body", head: "发放县（市、区）", words: bodyWords()},
			{name: "policy_code", head: "政策代码"}, {name: "policy_words", head: "补贴项目"}, {name: "first_month", head: "所属期起"}, {name: "last_month", head: "所属期止"},
			{name: "amount_fen", head: "发放金额"}, {name: "paid_day", head: "发放日期"}, {name: "certificate_no", head: "证书编号"}, {name: "document", head: "发放文号"},
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
		spoils: []spoil{{FaultEndsFirst, 8, func(row []string) []string { row[7], row[8] = "2024-06", "2024-01"; return row }}, {FaultNoValue, 8, func(row []string) []string { row[7], row[8] = "2024-06", ""; return row }},
			wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 10, "2024/2/30"), put(FaultUnknownCode, 3, "国家级"), put(FaultNoValue, 9, ""), without(1)},
	}
	layouts = []*layout{&peopleLayout, &employersLayout, &contributionsLayout, &degreesLayout, &certificatesLayout, &contractsLayout, &benefitsLayout, &deathsLayout,
		&participationsLayout, &titlesLayout, &assessorsLayout, &marriagesLayout, &housesLayout, &resultsLayout, &staysLayout, &accountsLayout, &paidLayout}
)

// Codes and words as the owners write them.
const (
	pensionCode, publicCode, unemploymentCode                  = "110", "120", "210"
	normalCode, backCode, adjustCode, refundCode, transferCode = "10", "20", "30", "40", "60"
	recollectedCode                                            = "11"
	fixedTerm, openEnded, byTask                               = "固定期限", "无固定期限", "以完成一定工作任务为期限"
	college, bachelor, master, doctor                          = 0, 1, 2, 3 // places in levelCodes
	junior, senior, specialTechnician, chiefTechnician         = 0, 2, 5, 6 // places in skillWords
)

var (
	payCodes   = [...]string{normalCode, recollectedCode, backCode, adjustCode, refundCode, transferCode}
	levelCodes = [...]string{"06", "05", "02", "01"}
	skillWords = [...]string{"五级/初级工", "四级/中级工", "三级/高级工", "二级/技师", "一级/高级技师", "特级技师", "首席技师"}
)

func put(kind string, at int, text string) spoil {
	return spoil{kind, at, func(row []string) []string { row[at] = text; return row }}
}

func wrongDigit(at int) spoil {
	return spoil{FaultCheckDigit, at, func(row []string) []string {
		id := row[at]
		digit := "7"
		if strings.HasSuffix(id, digit) {
			digit = "3"
		}
		row[at] = id[:17] + digit
		return row
	}}
}

// asNumber is what a spreadsheet shows of 18 digits.
func asNumber(at int) spoil {
	return spoil{FaultExcelNumber, at, func(row []string) []string {
		row[at] = row[at][:1] + "." + row[at][1:6] + "E+17"
		return row
	}}
}

// without drops a field, so that all behind it stand under the wrong heading.
func without(at int) spoil {
	return spoil{FaultMissingField, -1, func(row []string) []string { return append(row[:at], row[at+1:]...) }}
}
