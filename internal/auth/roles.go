package auth

import (
	"slices"

	"bole/internal/fault"
)

// Words are a title in both languages.
type Words struct {
	Zh, En string
}

// Permission is the right to one thing that can be done: one button, one command, one address.
type Permission struct {
	Code string // noun.verb
	Words
}

// Permissions are all there are. A new button brings its line here and stands in the roles that have it; nothing else changes.
var Permissions = []Permission{
	{"person.find", Words{"按证件号码、电话或姓名查找人员", "find a person by number, phone or name"}},
	{"person.look", Words{"查看人员页面（脱敏）", "look at a person's page, masked"}},
	{"person.contact", Words{"查看姓名和联系电话明文", "see a person's name and phone in clear"}},
	{"person.reveal", Words{"说明理由后查看明文", "see masked fields in clear, with a reason"}},
	{"finding.list", Words{"查看判定结果名单", "list findings"}},
	{"finding.explain", Words{"查看判定依据", "see why a finding is as it is"}},
	{"finding.status", Words{"查看办理状态", "see how far a matter is, and nothing else of it"}},
	{"register.list", Words{"查看底册及交付情况", "list registers and their deliveries"}},
	{"register.rows", Words{"查看底册数据行（去标识）", "see rows of a register, pseudonymous"}},
	{"delivery.load", Words{"接收数据交付", "load a delivery"}},
	{"delivery.rejects", Words{"下载和更正退回数据", "fetch and correct rejected rows"}},
	{"screen.run", Words{"运行政策找人", "run a screening"}},
	{"policy.read", Words{"查看政策", "read policies"}},
	{"policy.test", Words{"测试政策", "test policies"}},
	{"policy.write", Words{"起草和修改政策", "write and change policies"}},
	{"policy.publish", Words{"发布政策", "publish policies"}},
	{"key.list", Words{"查看密钥使用情况", "list sealing keys and what they seal"}},
	{"key.rotate", Words{"更换密钥", "rotate the sealing key"}},
	{"key.retire", Words{"删除不再使用的密钥", "drop keys that seal nothing"}},
	{"account.list", Words{"查看账户", "list accounts"}},
	{"account.add", Words{"新增账户", "add an account"}},
	{"account.grant", Words{"授予和收回角色", "grant roles and take them back"}},
	{"account.link", Words{"重新签发一次性链接", "issue a new one-time link"}},
	{"account.end", Words{"终止账户", "end an account"}},
	{"session.list", Words{"查看在线会话", "list the sessions of others"}},
	{"session.end", Words{"结束他人会话", "end a session of somebody else"}},
	{"token.end", Words{"注销他人令牌", "end a token of somebody else"}},
	{"audit.read", Words{"查看审计日志", "read the log"}},
	{"audit.verify", Words{"校验审计日志", "check that the log is whole"}},
	{"audit.export", Words{"导出审计日志", "export the log"}},
}

// Scope is whose rows a grant reaches.
type Scope string

// The scopes. Self is not about bodies: it reaches what belongs to the account's own subject, a person or an employer.
const (
	Own    Scope = "own"    // the grant's body alone
	Below  Scope = "below"  // the grant's body and every body below it
	All    Scope = "all"    // every body, and what belongs to none
	Chosen Scope = "chosen" // the bodies that the grant lists
	Self   Scope = "self"   // what belongs to the account's subject
)

// Scopes are all scopes with their titles, narrowest last.
var Scopes = []struct {
	Code Scope
	Words
}{
	{All, Words{"全部", "all"}},
	{Below, Words{"本机构及下级", "own body and below"}},
	{Own, Words{"本机构", "own body"}},
	{Chosen, Words{"指定机构", "chosen bodies"}},
	{Self, Words{"本人（本单位）", "self"}},
}

// Role is a set of permissions that one kind of work needs.
type Role struct {
	Code string
	Words
	Scopes []Scope  // which a grant of it may have
	May    []string // permissions
}

var (
	everywhere = []Scope{All}
	byBody     = []Scope{Below, Own, Chosen}
	anyBody    = []Scope{All, Below, Own, Chosen}
	oneself    = []Scope{Self}
)

// Roles are all there are. The three administrators have no permission about people: whoever keeps the machine, the accounts or the log
// does no business, and one of them alone can neither give himself rights nor hide that somebody did.
var Roles = []Role{
	{"system-administrator", Words{"系统管理员", "system administrator"}, everywhere,
		[]string{"key.list", "key.rotate", "key.retire", "register.list"}},
	{"security-administrator", Words{"安全管理员", "security administrator"}, everywhere,
		[]string{"account.list", "account.add", "account.grant", "account.link", "account.end", "session.list", "session.end", "token.end"}},
	{"auditor", Words{"审计管理员", "auditor"}, everywhere,
		[]string{"audit.read", "audit.verify", "audit.export", "account.list", "session.list"}},
	{"leader", Words{"负责人", "leader"}, anyBody,
		[]string{"person.find", "person.look", "finding.list", "finding.explain", "register.list", "policy.read"}},
	{"city-clerk", Words{"市级经办人员", "city clerk"}, anyBody,
		[]string{"person.find", "person.look", "person.reveal", "finding.list", "finding.explain", "register.list", "policy.read", "screen.run"}},
	{"district-clerk", Words{"区县经办人员", "district clerk"}, byBody,
		[]string{"person.find", "person.look", "person.reveal", "finding.list", "finding.explain", "policy.read"}},
	{"data-desk", Words{"数据岗", "data desk"}, everywhere,
		[]string{"register.list", "register.rows", "delivery.load", "delivery.rejects", "screen.run", "policy.read"}},
	{"policy-author", Words{"政策起草人员", "policy author"}, everywhere,
		[]string{"policy.read", "policy.test", "policy.write"}},
	{"policy-publisher", Words{"政策发布人员", "policy publisher"}, everywhere,
		[]string{"policy.read", "policy.test", "policy.publish"}},
	{"finance", Words{"财务人员", "finance"}, anyBody,
		[]string{"finding.status", "policy.read"}},
	{"service-officer", Words{"服务专员", "service officer"}, byBody,
		[]string{"person.look", "person.contact", "finding.status", "policy.read"}},
	{"help-desk", Words{"咨询服务人员", "help desk"}, anyBody,
		[]string{"finding.status", "policy.read"}},
	{"employer-operator", Words{"单位经办人", "employer operator"}, oneself,
		[]string{"finding.status", "policy.read"}},
	{"citizen", Words{"个人", "citizen"}, oneself,
		[]string{"finding.status", "finding.explain", "policy.read"}},
}

// The roles of the rows below.
var (
	administrators = []string{"system-administrator", "security-administrator", "auditor"}
	staff          = []string{"leader", "city-clerk", "district-clerk", "data-desk", "policy-author", "policy-publisher", "finance", "service-officer", "help-desk"}
	public         = []string{"employer-operator", "citizen"}
)

// Exclusion says that no account has a role of each side.
type Exclusion struct {
	One, Other []string
	Why        Words
}

// Exclusions are the roles that one account never holds together. A list on one side stands for each of its roles.
//
// Source: GB/T 22239-2019, 8.1.5 (separate system, security and audit administrators); the office's separation of duties.
var Exclusions = []Exclusion{
	{[]string{"system-administrator"}, []string{"security-administrator", "auditor"}, Words{"三员分立：系统、安全、审计管理员不得由同一账户担任", "the system, security and audit administrators are three"}},
	{[]string{"security-administrator"}, []string{"auditor"}, Words{"三员分立：系统、安全、审计管理员不得由同一账户担任", "the system, security and audit administrators are three"}},
	{administrators, staff, Words{"管理员不得兼办业务", "an administrator does no business"}},
	{administrators, public, Words{"管理员账户不得用于个人或单位办事", "an administrator's account makes no claims"}},
	{staff, public, Words{"工作人员账户不得用于个人或单位办事", "a clerk's account makes no claims"}},
	{[]string{"policy-author"}, []string{"policy-publisher"}, Words{"政策起草与发布须由不同的人完成", "who writes a policy does not publish it"}},
	{[]string{"leader", "city-clerk", "district-clerk", "data-desk"}, []string{"finance"}, Words{"办理业务的人不得经手资金", "who handles cases does not handle the money"}},
	{[]string{"citizen"}, []string{"employer-operator"}, Words{"个人与单位账户须分开", "a person and an employer are two accounts"}},
}

// excluded is why two roles are never on one account, in either order; nil where they may be.
func excluded(a, b string) *Exclusion {
	for i, x := range Exclusions {
		if slices.Contains(x.One, a) && slices.Contains(x.Other, b) || slices.Contains(x.One, b) && slices.Contains(x.Other, a) {
			return &Exclusions[i]
		}
	}
	return nil
}

func roleOf(code string) *Role {
	for i := range Roles {
		if Roles[i].Code == code {
			return &Roles[i]
		}
	}
	return nil
}

// known asks that permissions exist.
//
// Errors: Invalid "auth.permission_unknown".
func known(codes []string) error {
	for _, c := range codes {
		if !slices.ContainsFunc(Permissions, func(p Permission) bool { return p.Code == c }) {
			return fault.New("auth.known", fault.Invalid, "auth.permission_unknown", "permission", c)
		}
	}
	return nil
}
