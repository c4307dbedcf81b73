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
		},
		fresh: func(row []string) { row[0] = strangerOf(row[0]) },
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
		},
		fresh:  func(row []string) { row[0] = ghostUSCC(row[0]) },
		spoils: []spoil{put(FaultUnknownCode, 2, "其他企业类"), put(FaultNoValue, 1, ""), without(1)},
	}
	contributionsLayout = layout{
		register: "contributions", encoding: "GB18030", delimiter: '|',
		columns: []column{
			{name: "id_number", head: "社会保障号码"}, {name: "person_name", head: "姓名"}, {name: "uscc", head: "统一社会信用代码"},
			{name: "kind", head: "险种", words: []string{pensionCode, publicCode, unemploymentCode}}, {name: "month", head: "费款所属期"},
			{name: "base_fen", head: "缴费基数"}, {name: "pay_kind", head: "缴费类型", words: payCodes[:]},
			{name: "posted", head: "到账标志"}, {name: "posted_day", head: "到账日期"},
		},
		fresh: func(row []string) { row[6] = adjustCode },
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 8, "20240230"), put(FaultUnknownCode, 3, "999"),
			put(FaultNoValue, 1, ""), without(1)},
	}
	degreesLayout = layout{
		register: "degrees", encoding: "UTF-8-BOM", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "school", head: "院校代码"},
			{name: "level", head: "层次", words: levelCodes[:]}, {name: "study_form", head: "学习形式", words: []string{"全日制", "非全日制"}},
			{name: "graduated_day", head: "毕（结）业日期"}, {name: "diploma_no", head: "证书编号"},
			{name: "degree_no", head: "学位证书编号"}, {name: "overseas", head: "留学认证"},
		},
		fresh: func(row []string) { row[6] = "99999" + row[6][min(5, len(row[6])):] },
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 5, "2024/2/30"), put(FaultUnknownCode, 3, "99"),
			put(FaultNoValue, 6, ""), without(1)},
	}
	certificatesLayout = layout{
		register: "skill_certificates", encoding: "GB18030", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "certificate_no", head: "证书编号"},
			{name: "occupation", head: "职业编码"}, {name: "level", head: "等级", words: skillWords[:]}, {name: "issuer", head: "备案码"},
			{name: "issued_day", head: "发证日期"}, {name: "status", head: "证书状态", words: []string{"有效", "注销"}},
		},
		fresh: func(row []string) { row[2] = row[2][:len(row[2])-15] + "999999" + row[2][len(row[2])-9:] },
		spoils: []spoil{wrongDigit(0), asNumber(0), put(FaultNoSuchDay, 6, "2024-02-30"), put(FaultUnknownCode, 4, "六级"),
			put(FaultNoValue, 2, ""), without(1)},
	}
	contractsLayout = layout{
		register: "employment_contracts", encoding: "GB18030", delimiter: ',',
		columns: []column{
			{name: "id_number", head: "证件号码"}, {name: "person_name", head: "姓名"}, {name: "uscc", head: "统一社会信用代码"},
			{name: "contract_no", head: "合同编号"},
			{name: "kind", head: "合同类型", words: []string{fixedTerm, openEnded, byTask}},
			{name: "work_form", head: "用工形式", words: []string{"全日制用工", "非全日制用工"}},
			{name: "start_day", head: "合同起始日期"}, {name: "end_day", head: "合同终止日期"},
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
	layouts = []*layout{&peopleLayout, &employersLayout, &contributionsLayout, &degreesLayout, &certificatesLayout, &contractsLayout, &benefitsLayout}
)

// Codes and words as the owners write them.
const (
	pensionCode, publicCode, unemploymentCode                  = "110", "120", "210"
	normalCode, backCode, adjustCode, refundCode, transferCode = "10", "20", "30", "40", "60"
	fixedTerm, openEnded, byTask                               = "固定期限", "无固定期限", "以完成一定工作任务为期限"
	college, bachelor, master, doctor                          = 0, 1, 2, 3 // places in levelCodes
	junior, senior, specialTechnician, chiefTechnician         = 0, 2, 5, 6 // places in skillWords
)

var (
	payCodes   = [...]string{normalCode, backCode, adjustCode, refundCode, transferCode}
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
