package bench

import (
	"context"

	"bole/internal/calendar"
	"bole/internal/fault"
)

// people is the yardstick's fact table as columns, for loops written by hand: how fast the machine could be.
type people struct {
	n     int
	ints  map[string][]int64
	known map[string][]bool
	texts map[string][]string
}

var (
	intFacts  = []string{"age", "gender", "months_total", "months_longest", "months_cur", "first_m", "last_m", "size_band", "district", "deg_level", "cert_level", "cert_trade"}
	textFacts = []string{"hukou", "industry"}
	dayFacts  = []string{"deg_date", "cert_date"}
	boolFacts = []string{"hightech", "deg_overseas"}
)

func (y *yardstick) people(ctx context.Context) (*people, error) {
	p := &people{ints: map[string][]int64{}, known: map[string][]bool{}, texts: map[string][]string{}}
	number := func(name, sql string) error {
		rows, err := y.db.QueryContext(ctx, "SELECT coalesce("+sql+", 0)::BIGINT, "+name+" IS NOT NULL FROM fact ORDER BY pid")
		if err != nil {
			return fault.Wrap("bench.people", err)
		}
		defer rows.Close()
		for rows.Next() {
			var v int64
			var known bool
			if err := rows.Scan(&v, &known); err != nil {
				return fault.Wrap("bench.people", err)
			}
			p.ints[name], p.known[name] = append(p.ints[name], v), append(p.known[name], known)
		}
		return fault.Wrap("bench.people", rows.Err())
	}
	for _, n := range intFacts {
		if err := number(n, n); err != nil {
			return nil, err
		}
	}
	for _, n := range dayFacts {
		if err := number(n, "(year("+n+") * 10000 + month("+n+") * 100 + day("+n+"))"); err != nil {
			return nil, err
		}
	}
	for _, n := range boolFacts {
		if err := number(n, n+"::INTEGER"); err != nil {
			return nil, err
		}
	}
	for _, n := range textFacts {
		rows, err := y.db.QueryContext(ctx, "SELECT coalesce("+n+", '') FROM fact ORDER BY pid")
		if err != nil {
			return nil, fault.Wrap("bench.people", err)
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return nil, fault.Wrap("bench.people", err)
			}
			p.texts[n] = append(p.texts[n], s)
		}
		if err := rows.Close(); err != nil {
			return nil, fault.Wrap("bench.people", err)
		}
	}
	p.n = len(p.ints["age"])
	return p, nil
}

// value gives a fact as the evaluator asks for it.
func (p *people) value(name string, i int) any {
	if t, ok := p.texts[name]; ok {
		if t[i] == "" {
			return nil
		}
		return t[i]
	}
	if !p.known[name][i] {
		return nil
	}
	v := p.ints[name][i]
	switch name {
	case "deg_date", "cert_date":
		return calendar.Day(v)
	case "hightech", "deg_overseas":
		return v == 1
	}
	return v
}

// loops answers the twelve conditions for the first n people: hits and fen. An unknown is 0 here, below every threshold that asks for more; where a
// condition asks for less, the loop asks whether it is known.
func (p *people) loops(n int) (hits int, fen int64) {
	c := p.ints
	age, gender, total, longest, cur := c["age"], c["gender"], c["months_total"], c["months_longest"], c["months_cur"]
	first, last, size, district := c["first_m"], c["last_m"], c["size_band"], c["district"]
	deg, degDate, overseas, cert, certDate, trade, tech := c["deg_level"], c["deg_date"], c["deg_overseas"], c["cert_level"], c["cert_date"], c["cert_trade"], c["hightech"]
	insured, employed := p.known["months_cur"], p.known["size_band"]
	hukou, industry := p.texts["hukou"], p.texts["industry"]
	hit := func(amount int64) { hits++; fen += amount }
	for i := range n {
		local, ind := hukou[i] == "4403", industry[i]
		if deg[i] >= 3 && degDate[i] >= 20230101 && age[i] < 35 && cur[i] >= 1 && local && first[i] <= 202512 {
			switch {
			case deg[i] >= 6:
				hit(3000000)
			case deg[i] >= 4:
				hit(2500000)
			default:
				hit(1500000)
			}
		}
		if deg[i] == 6 && age[i] < 40 && cur[i] >= 6 && (ind == "I" || ind == "M" || ind == "C") && tech[i] == 1 {
			hit(10000000 + 50000*min(total[i], 60))
		}
		if cert[i] >= 3 && certDate[i] >= 20250101 && total[i] >= 12 && age[i] < 60 {
			hit(100000 * cert[i])
		}
		if tech[i] == 1 && deg[i] >= 3 && cur[i] >= 12 && age[i] < 45 && !(local && age[i] < 25) {
			hit(80000 * min(cur[i], 36))
		}
		if overseas[i] == 1 && deg[i] >= 4 && degDate[i] >= 20210101 && age[i] < 40 && cur[i] >= 3 && last[i] >= 202510 {
			if deg[i] == 6 {
				hit(6000000)
			} else {
				hit(3000000)
			}
		}
		if employed[i] && size[i] <= 1 && cur[i] >= 6 && cur[i] <= 36 && age[i] <= 30 && (gender[i] == 0 || gender[i] == 1) && deg[i] >= 2 {
			hit(50000 * cur[i])
		}
		if (district[i] == 1 || district[i] == 3 || district[i] == 5) && deg[i] >= 2 && total[i] >= 24 && (local || hukou[i] == "4401") && age[i] >= 22 {
			hit(300000 + 10000*max(longest[i]-24, 0))
		}
		if insured[i] && deg[i]*40+cert[i]*20+total[i] >= 200 && !local && age[i] < 45 && longest[i] >= 12 {
			hit(deg[i]*2000 + cert[i]*1000 + total[i]*50)
		}
		if (gender[i] == 1 && age[i] >= 50 || gender[i] == 0 && age[i] >= 40) && insured[i] && cur[i] == 0 && total[i] >= 12 && local {
			hit(5000 * total[i])
		}
		if first[i] >= 202401 && !local && deg[i] >= 3 && cur[i] >= 3 && age[i] < 35 && employed[i] && ind != "P" && ind != "Q" {
			hit(600000)
		}
		if cert[i] >= 4 && (trade[i] == 1 || trade[i] == 2 || trade[i] == 3 || trade[i] == 5 || trade[i] == 8 || trade[i] == 13 || trade[i] == 21 || trade[i] == 34) &&
			(ind == "C" || ind == "I") && cur[i] >= 3 {
			hit(500000 + 100000*(cert[i]-4))
		}
		if deg[i] >= 3 && cert[i] >= 2 && longest[i] >= 36 && age[i] < 50 && employed[i] && size[i] >= 1 && degDate[i] <= certDate[i] {
			hit(20000 * min(longest[i], 50))
		}
	}
	return hits, fen
}
