package finding

import (
	"context"
	"database/sql"
	"encoding/json"
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

// keptFor is what evidence is of. It answers for what would be derived only where all of it is the same.
type keptFor struct {
	On       calendar.Day `json:"on"`
	PackHash string       `json:"pack"`
	Told     string       `json:"told"` // see lake.Snapshot.Told
}

// wants are the facts that policies read, by kind of subject.
func wants(groups []Group) (out []fact.Want) {
	for _, g := range groups {
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

// seen is what is known of one person on a day: by evidence, or else derived now.
type seen struct {
	rows map[string][]fact.Row // by kind of subject, in order of subject; of the kind person one, or none when nobody has the number
	run  bool                  // it is what the last run saw, and so are its findings
}

// look asks for the facts of one person that policies read, on a day.
func look(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pols []*policy.Policy, person fact.Person, on calendar.Day) (seen, error) {
	e, err := held(s, p, on)
	if err != nil {
		return seen{}, err
	}
	draft := slices.ContainsFunc(pols, func(pol *policy.Policy) bool { return pol.Draft }) // no run has seen what only a draft reads
	if e != nil && !draft {
		rows, err := kept(e, person, on)
		return seen{rows, true}, err
	}
	want := append(wants(Groups(pols)), who(p))
	if err := fact.Derive(ctx, conn, s, p, fact.Request{Wants: want, Days: []calendar.Day{on}, Person: person}); err != nil {
		return seen{}, err
	}
	out := map[string][]fact.Row{}
	for _, w := range want {
		if out[w.Subject.Name] != nil {
			continue
		}
		if out[w.Subject.Name], err = fact.Rows(ctx, conn, w.Subject, ""); err != nil {
			return seen{}, err
		}
	}
	return seen{rows: out}, nil
}

// kept reads the facts of a person from evidence. What is kept with the person is known of each of their rows.
func kept(e *lake.Evidence, person fact.Person, on calendar.Day) (map[string][]fact.Row, error) {
	rows, err := e.Person(int64(person))
	if err != nil {
		return nil, err
	}
	out := map[string][]fact.Row{}
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
	return out, nil
}

// judge asks a policy of what is known of a person, and what other claims leave of it; subject narrows it to one row. It does not look at days to come.
func (k seen) judge(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pol *policy.Policy, person fact.Person, subject string, on calendar.Day) ([]Explanation, error) {
	out, err := Judge(pol, person, subject, k.rows[pol.Subject.Name], on)
	if err != nil || !slices.ContainsFunc(out, func(x Explanation) bool { return x.claims() }) {
		return out, err
	}
	var fates standing
	if k.run {
		fates, err = stands(ctx, conn, s, pol, person)
	} else {
		fates, err = whole(ctx, conn, s, p, pol, person, on)
	}
	if err == nil {
		settle(out, fates)
	}
	return out, err
}
