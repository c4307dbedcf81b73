package city

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reference is a column of a file of public reference data, or the few values written here where there is none.
func reference(t *testing.T, file, column string, few ...string) map[string]bool {
	t.Helper()
	values := map[string]bool{}
	for _, v := range few {
		values[v] = true
	}
	root := os.Getenv("BOLE_REFDATA")
	if root == "" {
		return values
	}
	in, err := os.Open(filepath.Join(root, "codes", file))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i, head := range rows[0] {
		if strings.TrimPrefix(head, "\uFEFF") == column {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("%s has no column %s", file, column)
	}
	for _, row := range rows[1:] {
		values[row[at]] = true
	}
	return values
}

func TestNoEmployerHasTheNameOfAListedCompany(t *testing.T) {
	short := reference(t, "listed_companies_2021.csv", "short_name", "鲁西化工", "中通客车", "东阿阿胶")
	full := reference(t, "listed_companies_2021.csv", "full_name", "鲁西化工集团股份有限公司")
	for seed := range uint64(3) {
		for _, e := range found(Options{People: 200_000, Seed: seed, Until: 202412}).employers {
			name := strings.TrimSuffix(strings.TrimPrefix(e.name, "聊城"), "有限公司")
			if short[name] || full[e.name] || short[string([]rune(name)[:4])] {
				t.Errorf("%s is a listed company", name)
			}
		}
	}
	// The two characters alone begin no listed company's name either, so no trade can make one.
	begins := map[string]bool{}
	for name := range short {
		begins[string([]rune(strings.ReplaceAll(name, " ", "") + "  ")[:2])] = true
	}
	for _, a := range firstSyllables {
		for _, b := range secondSyllables {
			if begins[a+b] {
				t.Errorf("a listed company begins with %s", a+b)
			}
		}
	}
}

func TestNoBankHasTheCardsOfTheCity(t *testing.T) {
	for bin := range reference(t, "bank_bins.csv", "bin", "621700", "103") {
		if strings.HasPrefix(bin, "1000") || strings.HasPrefix("1000", bin) {
			t.Errorf("%s begins a card of a bank", bin)
		}
	}
}

// With the reference data, every code that the city uses is one of the published lists; without, each has their shape.
func TestCodesArePublishedOnes(t *testing.T) {
	industries := reference(t, "industry_gbt4754_2017.csv", "code")
	occupations := reference(t, "occupations_csco_2022.csv", "code")
	now := reference(t, "divisions_current_2026-04.csv", "code")
	ever := reference(t, "divisions_history_1980_2020.csv", "code")
	schools := map[string]bool{}
	for code := range reference(t, "universities_moe_2017.csv", "code") {
		schools[code[max(0, len(code)-5):]] = true
	}
	check := func(what, code string, width int, in map[string]bool) {
		if len(code) != width || len(in) > 0 && !in[code] {
			t.Errorf("%s %s is not published", what, code)
		}
	}
	distinct := map[string]bool{}
	for _, list := range trades {
		for _, trade := range list {
			check("industry", trade.industry, 4, industries)
			for _, o := range trade.occupations {
				check("occupation", o, 10, occupations)
				distinct[o] = true
			}
			for _, b := range trade.bodies {
				check("division", bodies[b].division, 6, now)
			}
		}
	}
	if len(distinct) < 24 {
		t.Errorf("%d occupations", len(distinct))
	}
	for _, list := range [][]string{countyOnID[:], countyOnOldID[:], elsewhereOnID[:], elsewhereInHome[:]} {
		for _, code := range list {
			check("division", code, 6, ever)
		}
	}
	for _, list := range [][]string{collegesOf[:], universitiesOf[:]} {
		for _, code := range list {
			check("school", code, 5, schools)
		}
	}
}
