package city

import (
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
)

func peopleAreInvented(t *testing.T, o Options, f *delivered) {
	ids, phones, local, old, elsewhere, city := map[string]bool{}, 0, 0, 0, 0, 0
	f.sound(func(row []string) {
		id, phone, home := f.get(row, "id_number"), f.get(row, "phone"), f.get(row, "hukou_division")
		ids[id] = true
		if phone != "" {
			phones++
			if len(phone) != 11 || !strings.HasPrefix(phone, "100") {
				t.Error("a phone number that somebody could have")
			}
		}
		switch id[:4] {
		case "3715":
			local++
		case "3725":
			old++
		default:
			elsewhere++
		}
		if strings.HasPrefix(home, "3715") {
			city++
		}
		birth, since := f.day(row, "birth_day"), f.day(row, "hukou_day")
		if age := calendar.YearsBetween(birth, f.Cutoff); age < youngest || age > oldest {
			t.Errorf("an age of %d", age)
		}
		if abroad := f.get(row, "number_kind") != "居民身份证"; abroad != (since == 0) || !abroad && (since < birth || since > f.Cutoff) {
			t.Errorf("registered on %s, born on %s", since, birth)
		}
		if id[6:14] != strings.ReplaceAll(birth.String(), "-", "") || (int(id[16]-'0')%2 == 1) != (f.get(row, "sex") == "男") {
			t.Error("the number, the birthday and the sex disagree")
		}
	})
	if len(ids) != o.People {
		t.Errorf("%d numbers of %d people", len(ids), o.People)
	}
	between(t, "phones given", phones, o.People, 680, 720)
	between(t, "numbers of the city", local, o.People, 520, 700)
	between(t, "numbers of the old prefecture", old, o.People, 180, 360)
	between(t, "numbers of elsewhere", elsewhere, o.People, 105, 135)
	between(t, "registered in the city", city, o.People, 780, 830)
}

func employersAsStated(t *testing.T, f *delivered, months []*delivered) {
	n, enterprises, dispatch := 0, 0, 0
	codes := map[string]string{}
	f.sound(func(row []string) {
		n++
		code := f.get(row, "uscc")
		codes[code] = f.get(row, "kind")
		if f.get(row, "kind") == "企业" {
			enterprises++
		}
		if f.get(row, "dispatch") == "是" {
			dispatch++
		}
		if !strings.HasPrefix(f.get(row, "employer_name"), "聊城") || code[8:10] != "XX" || code[2:6] != "3715" {
			t.Errorf("%s could be an employer's", code)
		}
	})
	between(t, "enterprises", enterprises, n, 830, 920)
	between(t, "dispatch firms", dispatch, n, 20, 75)
	last := months[len(months)-3]
	insured, all := map[string]int{}, 0
	last.sound(func(row []string) {
		code, kind := last.get(row, "uscc"), last.get(row, "kind")
		if codes[code] == "" {
			t.Fatal("an employer who is not in the register")
		}
		if public := codes[code] == "机关" || codes[code] == "事业单位"; kind != unemploymentCode && public != (kind == publicCode) {
			t.Errorf("%s pays for insurance %s", codes[code], kind)
		}
		if kind != unemploymentCode {
			insured[code]++
			all++
		}
	})
	var sizes []int
	for _, size := range insured {
		sizes = append(sizes, size)
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	largest := 0
	for _, size := range sizes[:n/100] {
		largest += size
	}
	between(t, "insured with the largest hundredth of employers", largest, all, 250, 450)
}

// A million people: the share of the largest employers, from their sizes alone.
func TestLargestHundredthOfAnyCity(t *testing.T) {
	for _, people := range []int{10_000, 20_000, 100_000, 1_000_000} {
		n := people / 35
		largest, all := 0, 0
		for rank := range n {
			size := int(sizeOf(rank, n)) / 1000
			all += size
			if rank < n/100 {
				largest += size
			}
		}
		between(t, "share of the largest hundredth", largest, all, 250, 450)
	}
}

// career is what the contributions tell of a person: by month, how many employers paid for pension, in any quality.
type career struct {
	months [48]int8
	moved  bool
}

func contributionsAsStated(t *testing.T, o Options, by map[string][]*delivered) {
	known := map[string]bool{}
	by["people"][0].sound(func(row []string) { known[row[0]] = true })
	careers := map[string]*career{}
	counts := map[string]int{}
	settled := 0 // rows of months whose every payment is known
	for m, f := range by["contributions"] {
		month := firstMonth.Add(m)
		f.sound(func(row []string) {
			id, kind, pay := f.get(row, "id_number"), f.get(row, "kind"), f.get(row, "pay_kind")
			if !known[id] {
				t.Fatal("somebody who is not in the people register")
			}
			if f.day(row, "month") != month.First() {
				t.Fatal("a row of another month")
			}
			day := f.day(row, "posted_day")
			if (day != 0) != (f.get(row, "posted") == "是") || day > o.Until.First().AddDays(16) {
				t.Fatalf("posted on %s", day)
			}
			if day != 0 && day < month.First().AddDays(4) {
				t.Fatalf("posted on %s for %s", day, month)
			}
			if kind == unemploymentCode {
				return
			}
			c := careers[id]
			if c == nil {
				c = &career{}
				careers[id] = c
			}
			if pay == transferCode {
				c.moved = true
				return
			}
			if pay != refundCode {
				c.months[m]++
			}
			if m >= 36 {
				return
			}
			settled++
			counts[pay]++
			switch {
			case pay != normalCode && pay != recollectedCode:
			case day == 0:
				counts["failed"]++
			case day >= month.Add(2).First():
				counts["late"]++
			case day > month.Add(1).First().AddDays(24):
				t.Fatalf("posted on %s for %s: neither in time nor late", day, month)
			}
		})
	}
	between(t, "paid back", counts[backCode], settled, 11, 20)
	between(t, "late", counts["late"], settled, 24, 36)
	between(t, "failed", counts["failed"], settled, 3, 7)
	between(t, "refunded", counts[refundCode], settled, 1, 3)
	if len(careers) != o.People {
		t.Errorf("%d people in the insurance register, want %d", len(careers), o.People)
	}
	gaps, twice, arrived, transferred := 0, 0, 0, 0
	for _, c := range careers {
		first := slices.IndexFunc(c.months[:], func(n int8) bool { return n > 0 })
		last := 47
		for c.months[last] == 0 {
			last--
		}
		if end := min(last, 36); first < end && slices.Contains(c.months[first:end], 0) {
			gaps++
		}
		if slices.Contains(c.months[:], 2) {
			twice++
		}
		if first >= arrivals {
			arrived++
			if c.moved {
				transferred++
			}
		}
	}
	between(t, "careers with a gap, those of the last year not counted", gaps, o.People, 70, 140)
	between(t, "people with two employers in a month", twice, o.People, 6, 15)
	between(t, "people who came since 2022-09", arrived, o.People, 180, 320)
	between(t, "of them, with months from elsewhere", transferred, arrived, 4, 20)
	end, before := by["contributions"][47], by["contributions"][46]
	between(t, "of the last month, posted already", end.Rows, before.Rows, 500, 700)
}

func degreesAsStated(t *testing.T, o Options, f *delivered) {
	holders := map[string]bool{}
	n, july, full, overseas, certified, higher := 0, 0, 0, 0, 0, 0
	f.sound(func(row []string) {
		n++
		holders[f.get(row, "id_number")] = true
		day, level, diploma := f.day(row, "graduated_day"), f.get(row, "level"), f.get(row, "diploma_no")
		if day < 20010101 || day > f.Cutoff {
			t.Errorf("graduated on %s", day)
		}
		if day/100%100 == 7 {
			july++
		}
		if f.get(row, "study_form") == "全日制" {
			full++
		}
		if level != "06" {
			higher++
			if f.get(row, "degree_no") != "" {
				certified++
			}
		} else if f.get(row, "degree_no") != "" {
			t.Error("a college diploma with a degree")
		}
		if f.get(row, "overseas") == "是" {
			overseas++
		} else if len(diploma) != 18 || diploma[:5] != f.get(row, "school") || diploma[6:10] != day.String()[:4] || diploma[10:12] != level {
			t.Error("a diploma's number does not tell its school, year and level")
		}
	})
	between(t, "people with a degree on record", len(holders), o.People, 260, 300)
	between(t, "graduated in July", july, n, 450, 750)
	between(t, "full-time", full, n, 690, 810)
	between(t, "overseas", overseas, n, 10, 32)
	between(t, "bachelors and above with a degree certificate", certified, higher, 800, 950)
}

func certificatesAsStated(t *testing.T, o Options, f *delivered) {
	holders := map[string]bool{}
	levels := map[string]int{}
	n, latest, cancelled := 0, 0, 0
	f.sound(func(row []string) {
		n++
		holders[f.get(row, "id_number")] = true
		number, level, day := f.get(row, "certificate_no"), f.get(row, "level"), f.day(row, "issued_day")
		levels[level]++
		if day > f.Cutoff || day < 20190101 {
			t.Errorf("issued on %s", day)
		}
		if day > 20240000 {
			latest++
		}
		if f.get(row, "status") == "注销" {
			cancelled++
		}
		at := slices.Index(skillWords[:], level)
		year := number[len(number)-9 : len(number)-7]
		if at >= specialTechnician {
			year = number[14:16]
		} else if int(number[15]-'0') != 5-at {
			t.Error("a certificate's number does not tell its level")
		}
		if len(number) != 22 || year != day.String()[2:4] {
			t.Error("a certificate's number does not tell its year")
		}
	})
	between(t, "people with a certificate", len(holders), o.People, 145, 175)
	for i, want := range [...][2]int{{260, 340}, {310, 390}, {230, 310}, {45, 80}, {8, 28}} {
		between(t, skillWords[i], levels[skillWords[i]], n, want[0], want[1])
	}
	between(t, "issued in 2024", latest, n, 334, 480)
	between(t, "cancelled", cancelled, n, 3, 20)
}

func contractsAsStated(t *testing.T, by map[string][]*delivered) {
	f := by["employment_contracts"][0]
	running := map[string]bool{}
	n, full, open := 0, 0, 0
	f.sound(func(row []string) {
		n++
		start, end, kind := f.day(row, "start_day"), f.day(row, "end_day"), f.get(row, "kind")
		if start > f.Cutoff || kind == fixedTerm && end == 0 {
			t.Errorf("%s from %s to %s", kind, start, end)
		}
		if f.get(row, "work_form") == "全日制用工" {
			full++
		}
		if kind == openEnded {
			open++
		}
		if end == 0 || end >= f.Cutoff {
			running[f.get(row, "id_number")+f.get(row, "uscc")] = true
		}
	})
	between(t, "full-time contracts", full, n, 955, 985)
	between(t, "open-ended contracts", open, n, 80, 350)
	// Of those whom an enterprise insured in November, how many have a contract that runs.
	now := by["contributions"][46]
	insured, filed := 0, 0
	now.sound(func(row []string) {
		if now.get(row, "kind") == pensionCode && now.get(row, "pay_kind") == normalCode {
			insured++
			if running[now.get(row, "id_number")+now.get(row, "uscc")] {
				filed++
			}
		}
	})
	between(t, "present jobs with a contract filed", filed, insured, 760, 830)
}
