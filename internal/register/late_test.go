package register

import (
	"fmt"
	"strings"
	"testing"
)

// list is a register of numbers and values, as its deliveries add up.
func list(t *testing.T, mode string) *office {
	return newOffice(t, small(t, "visits", fmt.Sprintf(`register: visits
title: {zh: 来访, en: Visits}
owner: {zh: 前台, en: Desk}
basis: {zh: 测试, en: a test}
about: employer
mode: %s
key: [no]
columns:
  - {name: no, title: {zh: 号, en: No}, type: number, class: code, required: true}
  - {name: n, title: {zh: 数, en: Number}, type: int, class: number}
`, mode)))
}

// A row that a delivery did not write, because the lake had it, is still what that delivery says: one that comes late and says something else for an
// earlier day does not stand over it, nor does a correction of an earlier delivery.
func TestWhatWasLeftUnsaidIsSaidAfterALateDelivery(t *testing.T) {
	for mode, want := range map[string][4]string{
		"upsert":      {"A 1\nB 1", "A 2\nB 1", "A 1\nB 1", "A 1\nB 7"},
		"replace_all": {"A 1\nB 1", "A 2", "A 1\nB 1", "A 1\nB 1"},
		"append":      {"A 1\nB 1", "A 1\nA 2\nB 1", "A 1\nA 2\nB 1", "A 1\nA 2\nB 1\nB 7"},
	} {
		t.Run(mode, func(t *testing.T) {
			o := list(t, mode)
			o.take("visits", "1.csv", "no,n\nA,1\nB,1\n", "2024-01-01")
			before := o.state()
			o.take("visits", "3.csv", "no|n\nB|1\nA|1\n", "2024-03-01")
			o.take("visits", "4.csv", "no;n\nB;1\nA;1\n", "2024-04-01")
			if after := o.state(); after.generation != before.generation || after.parquet != before.parquet || after.temporary != before.temporary {
				t.Errorf("from %+v to %+v", before, after)
			}
			o.take("visits", "2.csv", "no,n\nA,2\n", "2024-02-01")
			for i, asOf := range []string{"2024-01-31", "2024-02-28", "2024-03-01"} {
				if got := o.rows("visits", "no n", asOf); got != want[i] {
					t.Errorf("as of %s:\n%s\nwant\n%s", asOf, got, want[i])
				}
			}
			if got := o.rows("visits", "no n", ""); got != want[2] {
				t.Errorf("now:\n%s\nwant\n%s", got, want[2])
			}
			// A later one that says something stands over all of them.
			if mode != "replace_all" {
				o.take("visits", "5.csv", "no,n\nB,7\n", "2024-05-01")
				if got := o.rows("visits", "no n", ""); got != want[3] {
					t.Errorf("in the end:\n%s\nwant\n%s", got, want[3])
				}
			}
		})
	}
}

// A correction of a delivery stands under what a later delivery left unsaid.
func TestCorrectionStandsUnderWhatWasLeftUnsaid(t *testing.T) {
	o := list(t, "upsert")
	o.take("visits", "1.csv", "no,n\nA,1\n", "2024-01-01")
	o.take("visits", "2.csv", "no,n\nA,二\n", "2024-02-01")
	book := o.handBack("visits")
	o.take("visits", "3.csv", "no|n\nA|1\n", "2024-03-01")
	o.bring("visits", o.mend(book, "二", "2"), "2024-04-01")
	if got := o.rows("visits", "no n", ""); got != "A 1" {
		t.Errorf("now: %s", got)
	}
}

// Months that come late do not stand over the same months delivered again later, and other months of that delivery are left as they are.
func TestMonthLeftUnsaidIsSaidAfterALateDelivery(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	head := contributionsHead
	o.take("contributions", "1.csv", head+month(wang, "王甲", "202401", "5000")+month(wang, "王甲", "202402", "5000"), "2024-03-01")
	o.take("contributions", "3.csv", head+month(wang, "王甲", "202402", "5000")+month(wang, "王甲", "202401", "5000"), "2024-05-01")
	o.take("contributions", "2.csv", head+month(li, "李乙", "202402", "6000"), "2024-04-01")
	for asOf, want := range map[string]string{"2024-03-31": "2024-01-01 500000\n2024-02-01 500000", "2024-04-30": "2024-01-01 500000\n2024-02-01 600000", "": "2024-01-01 500000\n2024-02-01 500000"} {
		if got := o.rows("contributions", "month base_fen", asOf); got != want {
			t.Errorf("as of %q:\n%s\nwant\n%s", asOf, got, want)
		}
	}
}

// A month that was delivered twice, with the same row refused both times, keeps its other rows when the second delivery is corrected.
func TestCorrectionOfAMonthDeliveredTwice(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	text := contributionsHead + month(wang, "王甲", "202401", "5000") + month(li, "李乙", "202401", "坏")
	o.take("contributions", "1.csv", text, "2024-02-10")
	o.take("contributions", "2.csv", strings.ReplaceAll(text, "|", ","), "2024-03-10")
	o.bring("contributions", o.mend(o.handBack("contributions"), "坏", "6000"), "2024-04-01")
	if got, want := o.rows("contributions", "month base_fen", ""), "2024-01-01 500000\n2024-01-01 600000"; got != want {
		t.Errorf("the month has\n%s\nwant\n%s", got, want)
	}
}

// A name in a delivery that comes late does not take the place of the one that a newer delivery confirmed.
func TestLateDeliverySettlesNothing(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	o.take("people", "1.csv", threePeople(), "2024-12-01")
	o.take("people", "3.csv", strings.ReplaceAll(threePeople(), ",", "|"), "2024-12-20")
	o.take("people", "2.csv", strings.Replace(threePeople(), "王甲", "王贾", 1), "2024-12-10")
	if rec, err := o.Vault.Unseal(t.Context(), 1); err != nil || rec.Name != "王甲" {
		t.Errorf("the vault has another name: %v", err)
	}
}
