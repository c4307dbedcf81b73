package finding

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// standing is what became of one person's claims under a policy, by subject row and part.
type standing map[claimKey]fate

// fate is what became of a claim.
type fate struct {
	outcome string
	award   int64       // of an eligible one
	limit   *pack.Limit // that holds it, or cuts its award; nil for none
	wins    string      // the claim that it gives way to; "" for none
	missing []string    // of an undetermined one: the facts without which a limit cannot be told
}

type claimKey struct {
	subject string
	part    int64
}

// whole lets the claims of a person's limit groups limit each other afresh, as a screening of the day would, and returns those of the person under one policy.
//
// It begins with the person and goes on to everybody whom a limit ties to a claim: the spouse by a fact of take: couple, others by a column of their own
// row. Where a limit ties claims by anything else, as a quota does, everybody is asked.
func whole(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pol *policy.Policy, person fact.Person, on calendar.Day) (standing, error) {
	ps := tiedTo(p, pol)
	asked := []fact.Person{person}
	for {
		run := &screening{pack: p, req: Request{On: on}, groups: Groups(ps), snap: s, conn: conn}
		req := fact.Request{Wants: run.wants(), Days: []calendar.Day{on}}
		if asked != nil {
			req.Person, req.Also = asked[0], asked[1:]
		}
		if err := fact.Derive(ctx, conn, s, p, req); err != nil {
			return nil, err
		}
		claims, err := run.allClaims(ctx)
		if err != nil {
			return nil, err
		}
		more, everybody, err := linked(ctx, conn, s, p, claims)
		if err != nil {
			return nil, err
		}
		more = slices.DeleteFunc(more, func(who fact.Person) bool { return slices.Contains(asked, who) })
		switch {
		case asked != nil && everybody:
			asked = nil
			continue
		case asked != nil && len(more) > 0:
			slices.Sort(more)
			asked = append(asked, slices.Compact(more)...)
			continue
		}
		allocate(p, on, claims)
		out := standing{}
		for _, c := range claims {
			if c.policy.Name == pol.Name && c.person == person {
				f := fate{outcome: c.outcome, award: c.award, limit: c.limit, missing: c.missing}
				if c.wins != nil {
					f.wins = c.wins.name(on)
				}
				out[claimKey{c.subject, c.part}] = f
			}
		}
		return out, nil
	}
}

// tiedTo lists the policies whose claims limits tie to those of one, over other policies as well; itself first. It may be a draft, and no other is.
func tiedTo(p *pack.Pack, pol *policy.Policy) []*policy.Policy {
	out := []*policy.Policy{pol}
	for i := 0; i < len(out); i++ {
		for _, m := range out[i].Members() {
			for _, other := range m.Limit.Members {
				if !other.Policy.Draft && !slices.ContainsFunc(out, func(have *policy.Policy) bool { return have.Name == other.Policy.Name }) {
					out = append(out, policy.New(p, other.Policy, pol.Name))
				}
			}
		}
	}
	return out
}

// linked lists the persons to whom limits tie some claims; everybody when a limit does not say by which rows.
func linked(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, claims []*claim) (out []fact.Person, everybody bool, err error) {
	shared := map[*pack.Fact][]string{}
	for _, c := range claims {
		for _, st := range c.stakes {
			if !st.Counts || st.Limit.Kind() == "paid" || st.Limit.Kind() == "less_fen" {
				continue
			}
			if st.Limit.Kind() == "quota" {
				return nil, true, nil
			}
			alone, tied := false, false
			for i, x := range st.Over {
				if len(x.Inputs()) != 1 || st.Keys[i] == nil {
					continue
				}
				name := x.Inputs()[0]
				f := c.policy.Fact(name)
				switch {
				case name == "person", name == "subject":
					alone = true
				case f == nil:
				case f.Take.Text == "couple" && x.Source() == name:
					out, tied = append(out, fact.Couple(fmt.Sprint(st.Keys[i]))...), true
				case f.Take.Text == "column" && f.Source() == nil && x.Source() == name:
					value := fmt.Sprint(st.Keys[i])
					for _, m := range st.Limit.Members { // the other policies' subject rows have the fact by the same name
						if other := p.Fact(m.Policy.Subject, name); other != nil && other.Subject.Rows() != nil && !slices.Contains(shared[other], value) {
							shared[other] = append(shared[other], value)
						}
					}
					tied = true
				}
			}
			if !alone && !tied {
				return nil, true, nil
			}
		}
	}
	for f, values := range shared {
		more, err := fact.Sharing(ctx, conn, s, p, f, values)
		if err != nil {
			return nil, false, err
		}
		out = append(out, more...)
	}
	return out, false, nil
}

// stands reads what became of one person's claims in the run whose hits a snapshot holds.
func stands(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, pol *policy.Policy, person fact.Person) (standing, error) {
	out := standing{}
	hits, ok := s.Scan(hitsTable)
	if !ok {
		return out, nil
	}
	rows, err := conn.QueryContext(ctx, fmt.Sprintf("SELECT subject, part, outcome, coalesce(amount_fen, 0), limit_name, wins, missing FROM %s WHERE policy = %s AND person = %d", hits, expr.Quote(pol.Name), person))
	if err != nil {
		return nil, fault.Wrap("finding.stands", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k claimKey
		var f fate
		var limit, missing string
		if err := rows.Scan(&k.subject, &k.part, &f.outcome, &f.award, &limit, &f.wins, &missing); err != nil {
			return nil, fault.Wrap("finding.stands", err)
		}
		f.missing = strings.Fields(missing)
		for _, m := range pol.Members() {
			if m.Limit.Name() == limit {
				f.limit = m.Limit
			}
		}
		out[k] = f
	}
	return out, fault.Wrap("finding.stands", rows.Err())
}

// befell puts what became of a claim into an explanation.
func (x *Explanation) befell(f fate) {
	x.Answer.Outcome, x.Answer.AmountFen, x.Limit, x.Wins = f.outcome, 0, f.limit, f.wins
	switch f.outcome {
	case "eligible":
		x.Answer.AmountFen = f.award
	case "undetermined":
		x.Answer.Missing = f.missing
	}
}
