package city

import (
	"strconv"
	"strings"
	"testing"

	"bole/internal/calendar"
)

// numbersOf is whom each number of the people register is: the number that the register has first.
func numbersOf(people *delivered) map[string]string {
	whose := map[string]string{}
	people.sound(func(row []string) {
		id := people.get(row, "id_number")
		whose[id] = id
		if other := people.get(row, "other_number"); other != "" {
			whose[other] = id
		}
		if id[6:8] == "19" && people.get(row, "number_kind") == "居民身份证" {
			whose[id[:6]+id[8:17]] = id
		}
	})
	return whose
}

// What one register says of somebody, no other denies.
func registersAgree(t *testing.T, o Options, by map[string][]*delivered) {
	people := by["people"][0]
	whose := numbersOf(people)
	one := func(register string, do func(f *delivered, row []string)) {
		f := by[register][0]
		f.sound(func(row []string) { do(f, row) })
	}
	kinds, second := map[string]int{}, 0
	status := map[string]string{}
	one("people", func(f *delivered, row []string) {
		id, kind := f.get(row, "id_number"), f.get(row, "number_kind")
		status[id] = f.get(row, "marital_status")
		kinds[kind]++
		if f.get(row, "other_number") != "" {
			second++
		}
		prefix := map[string]string{"港澳居民居住证": "8", "台湾居民居住证": "83", "外国人永久居留身份证": "937"}[kind]
		if !strings.HasPrefix(id, prefix) || prefix == "" && id[0] > '6' {
			t.Errorf("%s is no %s", id, kind)
		}
	})
	between(t, "people with another number", second, o.People, 3, 9)
	if len(kinds) != 4 {
		t.Errorf("numbers of the kinds %v", kinds)
	}

	used, old := 0, 0
	for register, list := range by {
		for _, f := range list {
			if f.has("id_number") && register != "contributions" {
				f.sound(func(row []string) {
					id := f.get(row, "id_number")
					if whose[id] == "" {
						t.Errorf("%s: somebody whom nobody knows", register)
					}
					if whose[id] != id {
						used++
					}
					if len(id) == 15 {
						old++
					}
				})
			}
		}
	}
	if used < 20 || old < 2 {
		t.Errorf("%d papers under another number, %d of 15 digits", used, old)
	}

	employers := map[string]bool{}
	states := map[string]int{}
	one("employers", func(f *delivered, row []string) {
		employers[f.get(row, "uscc")] = true
		states[f.get(row, "status")]++
	})
	between(t, "employers that are gone", len(employers)-states["存续"], len(employers), 15, 60)
	for register, columns := range map[string][]string{"employment_contracts": {"uscc", "user_uscc"}, "participations": {"uscc"}, "assessment_bodies": {"uscc"},
		"competition_results": {"uscc"}, "postdoc_stays": {"uscc"}} {
		one(register, func(f *delivered, row []string) {
			for _, column := range columns {
				if code := f.get(row, column); code != "" && !employers[code] {
					t.Errorf("%s: an employer that is not in the register", register)
				}
			}
		})
	}
	t.Run("couples", func(t *testing.T) { couplesAgree(t, o, by, status) })
	t.Run("houses", func(t *testing.T) { housesAgree(t, o, by["housing_contracts"][0]) })
	t.Run("the dead", func(t *testing.T) { theDeadRest(t, o, by) })
	t.Run("certificates", func(t *testing.T) { certificatesAreFiled(t, by) })
	t.Run("other papers", func(t *testing.T) { otherPapersAsStated(t, o, by, whose) })
}

func couplesAgree(t *testing.T, o Options, by map[string][]*delivered, status map[string]string) {
	f := by["marriages"][0]
	rows, ended := map[string][]string{}, 0
	f.sound(func(row []string) {
		rows[f.get(row, "id_number")] = row
		if f.get(row, "ended_day") != "" {
			ended++
		}
	})
	for id, row := range rows {
		spouse := f.get(row, "spouse_number")
		back := rows[spouse]
		if back == nil || f.get(back, "spouse_number") != id || f.get(back, "registered_day") != f.get(row, "registered_day") || f.get(back, "ended_day") != f.get(row, "ended_day") {
			t.Fatal("a marriage that the spouse does not know")
		}
		want := map[bool]string{true: "已婚", false: "离婚"}[f.get(row, "ended_day") == ""]
		if status[id] != want {
			t.Errorf("a status of %s, want %s", status[id], want)
		}
		youngest := map[bool]int{true: 22, false: 20}[id[16]%2 == 1]
		birth, err := calendar.Parse(id[6:10] + "-" + id[10:12] + "-" + id[12:14])
		if err != nil || calendar.YearsBetween(birth, f.day(row, "registered_day")) < youngest || id[16]%2 == spouse[16]%2 {
			t.Errorf("%s cannot have married %s on %s", id, spouse, f.get(row, "registered_day"))
		}
	}
	between(t, "people married to somebody of the city", len(rows), o.People, 450, 620)
	between(t, "marriages that ended", ended, len(rows), 30, 90)
	statuses := map[string]int{}
	for _, s := range status {
		statuses[s]++
	}
	between(t, "people who are married", statuses["已婚"], o.People, 600, 850)
}

func housesAgree(t *testing.T, o Options, f *delivered) {
	shares, buyers := map[string]int{}, map[string]int{}
	revoked, second := 0, 0
	f.sound(func(row []string) {
		share, err := strconv.Atoi(f.get(row, "share_permille"))
		if err != nil {
			t.Fatal(err)
		}
		shares[f.get(row, "contract_no")] += share
		buyers[f.get(row, "contract_no")]++
		if f.get(row, "revoked_day") != "" {
			revoked++
			if f.get(row, "title_day") != "" {
				t.Error("a title under a contract that was revoked")
			}
		}
		if f.get(row, "house_kind") == "存量房" {
			second++
		}
		for _, column := range []string{"notice_day", "title_day", "deed_tax_day"} {
			if day := f.day(row, column); day != 0 && day < f.day(row, "filed_day") || day > f.Cutoff {
				t.Errorf("%s on %s", column, day)
			}
		}
	})
	several := 0
	for number, share := range shares {
		if share < 999 || share > 1000 {
			t.Errorf("the shares add up to %d", share)
		}
		if buyers[number] > 1 {
			several++
		}
	}
	between(t, "contracts", len(shares), o.People, 60, 120)
	between(t, "with several buyers", several, len(shares), 200, 500)
	between(t, "revoked", revoked, f.Rows, 10, 45)
	between(t, "second-hand", second, f.Rows, 250, 350)
}

func theDeadRest(t *testing.T, o Options, by map[string][]*delivered) {
	f := by["deaths"][0]
	died := map[string]calendar.Day{}
	f.sound(func(row []string) { died[f.get(row, "id_number")] = f.day(row, "death_day") })
	between(t, "deaths", len(died), o.People, 1, 6)
	for _, m := range by["contributions"] {
		m.sound(func(row []string) {
			if day := died[m.get(row, "id_number")]; day != 0 && m.day(row, "month") > day.Month().First() {
				t.Error("a contribution for a month after death")
			}
		})
	}
	for _, register := range []string{"unemployment_benefits", "employment_contracts"} {
		p := by[register][0]
		p.sound(func(row []string) {
			day := died[p.get(row, "id_number")]
			if begins := p.columns[p.at[map[bool]string{true: "start_day", false: "first_month"}[p.has("start_day")]]].Name.Text; day != 0 && p.day(row, begins) > day {
				t.Errorf("%s: begins after death", register)
			}
		})
	}
}

func certificatesAreFiled(t *testing.T, by map[string][]*delivered) {
	f := by["assessment_bodies"][0]
	filings := map[string][][3]calendar.Day{}
	f.sound(func(row []string) {
		code := f.get(row, "filing_code")
		filings[code] = append(filings[code], [3]calendar.Day{f.day(row, "filed_day"), f.day(row, "valid_until"), f.day(row, "cancelled_day")})
	})
	s := by["skill_certificates"][0]
	s.sound(func(row []string) {
		day, met := s.day(row, "issued_day"), false
		for _, x := range filings[s.get(row, "issuer")] {
			met = met || x[0] <= day && day <= x[1] && (x[2] == 0 || x[2] > day)
		}
		if !met {
			t.Errorf("issued on %s by a body that was not filed", day)
		}
	})
}

func otherPapersAsStated(t *testing.T, o Options, by map[string][]*delivered, whose map[string]string) {
	accounts, classes, states := by["bank_accounts"][0], map[string]int{}, map[string]int{}
	n := 0
	accounts.sound(func(row []string) {
		n++
		classes[accounts.get(row, "account_class")]++
		states[accounts.get(row, "status")]++
		if !strings.HasPrefix(accounts.get(row, "account"), "1000") {
			t.Error("an account that somebody could have")
		}
	})
	between(t, "people with an account", n, o.People, 680, 720)
	between(t, "accounts of class II", classes[classWords[1]], n, 35, 65)
	between(t, "accounts closed", states["销户"], n, 6, 20)

	registered := map[string]bool{}
	parts := by["participations"][0]
	parts.sound(func(row []string) { registered[parts.get(row, "id_number")] = true })
	if len(registered) != o.People {
		t.Errorf("%d people registered with the insurance, want %d", len(registered), o.People)
	}

	numbers := map[string]string{}
	certificates := by["skill_certificates"][0]
	certificates.sound(func(row []string) {
		numbers[certificates.get(row, "certificate_no")] = certificates.get(row, "id_number")
	})
	paid, before := by["other_payments"][0], 0
	paid.sound(func(row []string) {
		if number := paid.get(row, "certificate_no"); number != "" {
			before++
			if numbers[number] != paid.get(row, "id_number") {
				t.Error("paid for a certificate that the person has not")
			}
		}
	})
	between(t, "certificates paid for before", before, len(numbers), 10, 40)

	doctors := map[string]calendar.Day{}
	degrees := by["degrees"][0]
	degrees.sound(func(row []string) {
		if degrees.get(row, "level") == levelCodes[doctor] {
			doctors[whose[degrees.get(row, "id_number")]] = degrees.day(row, "graduated_day")
		}
	})
	stays, station := by["postdoc_stays"][0], 0
	stays.sound(func(row []string) {
		if day := doctors[whose[stays.get(row, "id_number")]]; day == 0 || day > stays.day(row, "entered_day") {
			t.Error("in station without a doctorate")
		}
		if stays.get(row, "left_day") == "" {
			station++
		}
	})
	if station < 3 {
		t.Errorf("%d people in station", station)
	}

	results, teams := by["competition_results"][0], map[string]int{}
	won := 0
	results.sound(func(row []string) {
		won++
		if team := results.get(row, "team_no"); team != "" {
			share, err := strconv.Atoi(results.get(row, "split_permille"))
			if err != nil {
				t.Fatal(err)
			}
			teams[team] += share
		}
	})
	for _, share := range teams {
		if share != 1000 {
			t.Errorf("a team shares %d in a thousand", share)
		}
	}
	if won < 5 || len(teams) < 2 {
		t.Errorf("%d results, %d teams", won, len(teams))
	}

	titles, levels, honoured := by["titles"][0], map[string]int{}, 0
	all := 0
	titles.sound(func(row []string) {
		all++
		levels[titles.get(row, "level")]++
		if titles.get(row, "kind") == "荣誉称号" {
			honoured++
		}
	})
	between(t, "professional titles and honours", all, o.People, 10, 40)
	between(t, "associate and full", levels[titleWords[2]]+levels[titleWords[3]], all, 40, 250)
	if honoured < 2 {
		t.Errorf("%d honours", honoured)
	}
}
