package vault

import (
	"cmp"
	"context"
	"slices"

	"bole/internal/calendar"
	"bole/internal/fault"
)

// statement says that two holders are one human being, a row of vault_identity.
type statement struct {
	holder, person int64 // person is the lower one
	known          calendar.Day
	delivery       int64
}

// groups are the holders that are one human being, by the lowest of them. A holder that is in none is a person of its own.
type groups struct {
	above map[int64]int64   // a holder that is not the lowest → a lower one of its group
	below map[int64][]int64 // the lowest → the others
}

func newGroups() *groups { return &groups{map[int64]int64{}, map[int64][]int64{}} }

// person is the lowest holder of the group.
func (g *groups) person(holder int64) int64 {
	for {
		up, ok := g.above[holder]
		if !ok {
			return holder
		}
		holder = up
	}
}

// unite makes one group of two holders' groups; moved are those whose person is another now.
func (g *groups) unite(a, b int64) (moved []int64) {
	a, b = g.person(a), g.person(b)
	if a == b {
		return nil
	}
	low, high := min(a, b), max(a, b)
	moved = append(g.below[high], high)
	for _, h := range moved {
		g.above[h] = low
	}
	g.below[low] = append(g.below[low], moved...)
	delete(g.below, high)
	return moved
}

// inOrder is the order in which statements became known.
func inOrder(a, b statement) int {
	return cmp.Or(cmp.Compare(a.known, b.known), cmp.Compare(a.delivery, b.delivery), cmp.Compare(a.holder, b.holder), cmp.Compare(a.person, b.person))
}

// replay tells who was who from which day on: f gets a holder, the person it stands for and the day since when that is known, in order
// of holder and day. A day's statements are taken together. A delivery that came late is put in its place, so that what was known on
// an earlier day is what the deliveries received by then say.
func replay(all []statement, f func(holder, person int64, known calendar.Day) error) error {
	type row struct {
		holder, person int64
		known          calendar.Day
	}
	all = slices.SortedFunc(slices.Values(all), inOrder)
	var rows []row
	g := newGroups()
	for i := 0; i < len(all); {
		day, moved := all[i].known, map[int64]bool{}
		for ; i < len(all) && all[i].known == day; i++ {
			for _, h := range g.unite(all[i].holder, all[i].person) {
				moved[h] = true
			}
		}
		for h := range moved {
			rows = append(rows, row{h, g.person(h), day})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.holder, b.holder), cmp.Compare(a.known, b.known)) })
	for _, r := range rows {
		if err := f(r.holder, r.person, r.known); err != nil {
			return err
		}
	}
	return nil
}

// Persons calls f for every holder that does not stand for itself: with the person, which is the lowest holder of the same human being,
// and the day since when that is known. Rows come in order of holder and day; as of a day the last one up to it holds. A holder without
// a row is a person of its own.
func (v *Vault) Persons(ctx context.Context, f func(holder, person int64, known calendar.Day) error) error {
	all, err := v.statements(ctx)
	if err != nil {
		return fault.Wrap("vault.Persons", err)
	}
	return replay(all, f)
}

func (v *Vault) statements(ctx context.Context) (out []statement, err error) {
	rows, err := v.db.QueryContext(ctx, `SELECT holder, person, known, delivery FROM vault_identity`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s statement
		if err := rows.Scan(&s.holder, &s.person, &s.known, &s.delivery); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
