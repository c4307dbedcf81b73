package pack

import (
	"slices"

	"bole/internal/expr"
)

// Process says how the office handles claims under the policy.
type Process struct {
	By         Src    `yaml:"by,required"`
	Tier       Src    `yaml:"tier,required"` // of Tiers
	NoticeDays int64  `yaml:"notice_days"`   // working days of public notice; 0 where the text asks for none
	Collective bool   `yaml:"collective"`    // decided by the leaders together, before the notice
	Note       *Words `yaml:"note"`
}

// Tiers are how much whoever was found has still to do: nothing (direct: no application, but review, notice and release as ever), confirm the amount and the
// account (confirm), or claim on a form that is filled in (remind).
var Tiers = []string{"direct", "confirm", "remind"}

// Ask is one thing that the form asks, because no register can tell.
type Ask struct {
	Name     Src   `yaml:"name,required"`
	Title    Words `yaml:"title,required"`
	Type     Src   `yaml:"type,required"` // of AskTypes
	Codes    *Src  `yaml:"codes"`
	Tells    *Src  `yaml:"tells"` // the fact that the answer stands for where registers are silent
	Why      Words `yaml:"why,required"`
	By       *Src  `yaml:"by"` // the article that asks for it, where one does
	Required bool  `yaml:"required"`
}

// AskTypes are what an answer may be.
var AskTypes = []string{"text", "int", "yuan", "day", "bool", "code", "account", "paper"}

// Event is what happens after the decision and what it does to the award.
type Event struct {
	ID    Src   `yaml:"id,required"`
	By    Src   `yaml:"by,required"`
	Title Words `yaml:"title,required"`
	When  Src   `yaml:"when,required"` // over facts and on; only a plain yes counts
	Then  Src   `yaml:"then,required"` // of Thens
}

// Thens are what an event does: payments wait (pause), end with what was paid kept (stop), are worked out anew (rerate), or end and are asked back (recover).
var Thens = []string{"pause", "stop", "rerate", "recover"}

// Recovery is what is asked back when an event recovers.
type Recovery struct {
	By     Src `yaml:"by,required"`
	Amount Src `yaml:"amount_fen,required"` // over facts, on and paid_in_all_fen
}

// process checks what a policy says of the office's work.
func (r *reader) process(file string, p *Pack, pol *Policy) {
	if x := pol.Process; x != nil {
		r.cited(file, pol, x.By)
		r.oneOf(file, x.Tier, "tier", Tiers)
		if x.NoticeDays < 0 || x.NoticeDays > 60 {
			r.at(file, x.Tier, "notice_days are working days, from 0 to 60")
		}
	}
	var asked []string
	for _, a := range pol.Asks {
		r.word(file, a.Name, "question")
		if slices.Contains(asked, a.Name.Text) {
			r.at(file, a.Name, "%s is asked twice", a.Name.Text)
		}
		asked = append(asked, a.Name.Text)
		r.oneOf(file, a.Type, "type of an answer", AskTypes)
		if a.By != nil {
			r.cited(file, pol, *a.By)
		}
		if (a.Type.Text == "code") != (a.Codes != nil) {
			r.at(file, a.Name, "codes stands beside type code, and only there")
		} else if a.Codes != nil && p.CodeList(a.Codes.Text) == nil {
			r.unknown(file, *a.Codes, "code list", listNames(p))
		}
		if a.Tells != nil && p.Fact(pol.Subject, a.Tells.Text) == nil {
			r.unknown(file, *a.Tells, "fact", pol.Subject.vocab.Names())
		}
	}
	ids := map[string]bool{}
	recovers := false
	for _, e := range pol.Events {
		r.ruleID(file, ids, e.ID)
		r.cited(file, pol, e.By)
		r.oneOf(file, e.Then, "thing that an event does", Thens)
		r.compileIn(file, pol, e.When, expr.Bool)
		recovers = recovers || e.Then.Text == "recover"
	}
	switch x := pol.Recovery; {
	case x == nil && recovers:
		r.at(file, pol.Events[0].ID, "an event recovers: say how much, under recovery")
	case x != nil:
		r.cited(file, pol, x.By)
		v, err := pol.vocab.With(expr.Name{Name: "paid_in_all_fen", Type: expr.Int, Unit: "fen", Min: 0, Max: 1 << 40, Sure: true})
		if err != nil {
			r.at(file, x.Amount, "a fact is called paid_in_all_fen, which here means what was paid")
			return
		}
		r.compile(file, v, x.Amount, expr.Int)
	}
}

// Question is the question of the form whose answer tells a fact, or nil.
func (pol *Policy) Question(fact string) *Ask {
	return find(pol.Asks, func(a *Ask) bool { return a.Tells != nil && a.Tells.Text == fact })
}
