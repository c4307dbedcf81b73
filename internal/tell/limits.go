package tell

import (
	"strings"

	"bole/internal/finding"
	"bole/internal/policy"
)

// alone are the sentences of limits that hold a claim without another one that wins.
var alone = map[string]string{"paid": "tell.limited_paid", "less_fen": "tell.limited_paid", "quota": "tell.limited_quota"}

// held says why a claim that may meet its conditions is not paid: another claim wins, somebody else has paid, or it was decided already.
func (t *Teller) held(x finding.Explanation, out *Verdict) {
	if x.Answer.Outcome == "settled" {
		out.Sentence = t.w.T("tell.settled", "policy", t.w.In(x.Policy.Title))
		return
	}
	if x.Limit == nil {
		out.Sentence = t.w.T("outcome.limited")
		return
	}
	key := alone[x.Limit.Kind()]
	switch {
	case x.Wins != "":
		key = "tell.limited"
	case key == "":
		key = "tell.limited_alone"
	}
	out.Sentence = t.limit(key, x)
	if x.Limit.Policy == x.Policy.Policy {
		out.By = x.Limit.By.Text
	}
}

// cut says which limit made an amount smaller.
func (t *Teller) cut(x finding.Explanation) string {
	key := "tell.cut"
	if x.Wins != "" {
		key = "tell.cut_by"
	}
	return t.limit(key, x)
}

// limit is a sentence about the limit of an explanation: its title and article, and the claim that wins.
func (t *Teller) limit(key string, x finding.Explanation) string {
	l := x.Limit
	article := l.By.Text
	if a, ok := l.Policy.Law.Find(article); ok {
		article = a.HeadingIn(string(t.w.Lang))
	}
	return t.w.T(key, "limit", t.w.In(l.Title), "article", article, "policy", t.claim(x))
}

// claim names the claim that another gives way to: its policy, of somebody else also whose it is, and of several rows which.
func (t *Teller) claim(x finding.Explanation) string {
	words := strings.Fields(x.Wins) // POLICY PERSON [SUBJECT] PERIOD
	if len(words) < 3 {
		return x.Wins
	}
	decl := t.pack.Policy(words[0])
	if decl == nil {
		return x.Wins
	}
	pol := policy.New(t.pack, decl)
	parts := []string{t.w.In(pol.Title)}
	if words[1] != x.Person.String() {
		parts = append(parts, words[1])
	}
	if len(words) > 3 {
		parts = append(parts, t.w.In(pol.Subject.Title)+" "+Short(words[2]))
	}
	return strings.Join(parts, t.w.T("tell.comma"))
}
