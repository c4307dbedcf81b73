package finding

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// keptFor is what evidence is of. It answers for what would be derived only where all of it is the same.
type keptFor struct {
	On       calendar.Day `json:"on"`
	PackHash string       `json:"pack"`
	Told     string       `json:"told"` // see lake.Snapshot.Told
}

// wants are the facts that policies ask for, by kind of subject.
func wants(pols []*policy.Policy) []fact.Want {
	var out []fact.Want
	for _, g := range Groups(pols) {
		w := fact.Want{Subject: g.Subject}
		for _, p := range g.Policies {
			w.Names = append(w.Names, p.FactNames()...)
		}
		out = append(out, w)
	}
	return out
}

// who are the facts that say who a person is: those of the register of people. Pages show them whatever policies ask for.
func who(p *pack.Pack) fact.Want {
	w := fact.Want{Subject: p.Subject("person")}
	for _, f := range w.Subject.Facts {
		if r := f.Source(); r != nil && r.Name == "people" {
			w.Names = append(w.Names, f.Name.Text)
		}
	}
	return w
}

// evidence keeps the facts that were derived, of everybody: what each policy saw is told from them for ever after. Facts of the person are kept once,
// with the person.
func (s *screening) evidence(ctx context.Context) error {
	if s.writer == nil {
		return nil
	}
	person := s.pack.Subject("person")
	parts := []lake.Part{{Kind: person.Name, Query: `SELECT * EXCLUDE ("on") FROM ` + fact.Table(person)}}
	others := []string{expr.Quote("on")}
	for _, f := range person.Facts {
		others = append(others, expr.Quote(f.Name.Text))
	}
	for _, g := range s.groups {
		if g.Subject != person {
			parts = append(parts, lake.Part{Kind: g.Subject.Name, Query: "SELECT COLUMNS(c -> c NOT IN (" + strings.Join(others, ", ") + ")) FROM " + fact.Table(g.Subject)})
		}
	}
	meta, err := json.Marshal(keptFor{s.req.On, s.pack.Hash, s.snap.Told()})
	if err != nil {
		return err
	}
	_, err = s.writer.Evidence(ctx, s.conn, lake.File{Meta: string(meta)}, parts)
	return err
}

// held is the evidence of a snapshot where it is of just this pack, day and state of the registers; otherwise nil.
func held(s *lake.Snapshot, p *pack.Pack, on calendar.Day) (*lake.Evidence, error) {
	if s.AsOf != 0 {
		return nil, nil
	}
	files := s.Files(lake.EvidenceTable)
	if len(files) == 0 {
		return nil, nil
	}
	var of keptFor
	if err := json.Unmarshal([]byte(files[0].Meta), &of); err != nil {
		return nil, fault.Wrap("finding.held", err)
	}
	if of != (keptFor{on, p.Hash, s.Told()}) {
		return nil, nil
	}
	return s.Evidence()
}

// factsOn are the facts of people's subject rows on a day, by kind of subject, in order of subject: those that screening kept, or else derived now. A kind of
// which a person has no row is empty; without a row of the kind person there is nobody with the number.
func factsOn(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pols []*policy.Policy, persons []fact.Person, on calendar.Day) (map[string][]fact.Row, error) {
	e, err := held(s, p, on)
	if err != nil {
		return nil, err
	}
	if e != nil {
		return kept(e, persons, on)
	}
	want := append(wants(pols), who(p))
	if err := fact.Derive(ctx, conn, s, p, fact.Request{Wants: want, Days: []calendar.Day{on}, Persons: persons}); err != nil {
		return nil, err
	}
	out := map[string][]fact.Row{}
	for _, w := range want {
		if out[w.Subject.Name] != nil {
			continue
		}
		if out[w.Subject.Name], err = fact.Rows(ctx, conn, w.Subject, ""); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// kept reads the facts of people from evidence. What is kept with the person is known of each of their rows.
func kept(e *lake.Evidence, persons []fact.Person, on calendar.Day) (map[string][]fact.Row, error) {
	out := map[string][]fact.Row{}
	for _, person := range persons {
		rows, err := e.Person(int64(person))
		if err != nil {
			return nil, err
		}
		var own map[string]any
		for _, r := range rows {
			if r.Kind == "person" {
				own = r.Values
			} else {
				for name, v := range own {
					r.Values[name] = v
				}
			}
			out[r.Kind] = append(out[r.Kind], fact.Row{Person: person, Subject: r.Subject, On: on, Values: r.Values})
		}
	}
	return out, nil
}
