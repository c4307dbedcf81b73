package register

import (
	"sync"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/store/storetest"
)

// What a delivery does to the office's database is the same on both.
func TestDeliveriesOnBothDatabases(t *testing.T) {
	p := liaocheng(t)
	storetest.EachAddress(t, func(t *testing.T, dsn string) {
		o := officeOn(t, p, dsn)
		if got := told(o.take("people", "a.csv", threePeople(), "2024-12-01")); got != "3 accepted 0 quarantined 0 unchanged" {
			t.Errorf("first: %s", got)
		}
		if got := told(o.take("people", "a.csv", threePeople(), "2024-12-02")); got != "0 accepted 0 quarantined 3 unchanged again" {
			t.Errorf("the same bytes: %s", got)
		}
		before := o.state()
		more := peopleHead + "\n" + person(wang, "王乙", "1990-01-01") + person(li, "李乙", "1992-02-29") + person("123", "坏", "1990-01-01")
		if got := told(o.take("people", "b.csv", more, "2024-12-03")); got != "1 accepted 1 quarantined 1 unchanged" {
			t.Errorf("a name corrected and a bad row: %s", got)
		}
		if after := o.state(); after.generation != before.generation+1 || after.deliveries != 2 || after.holders != 3 {
			t.Errorf("from %+v to %+v", before, after)
		}
		if rec, err := o.Vault.Unseal(t.Context(), 1); err != nil || rec.Name != "王乙" || rec.Phone != "10012345678" {
			t.Errorf("the first holder is not the one corrected: %v", err)
		}
	})
}

// Two desks, as two processes have them, load at once: one waits for the other, and nobody is made twice.
func TestTwoDesksOnBothDatabases(t *testing.T) {
	p := liaocheng(t)
	storetest.EachAddress(t, func(t *testing.T, dsn string) {
		o := officeOn(t, p, dsn)
		other := *o.Desk
		other.Store, other.resolver = storetest.Open(t, dsn), nil
		files := []string{o.write("a.csv", threePeople()), o.write("b.csv", peopleHead+"\n"+person(li, "李乙", "1992-02-29")+person(wang, "王甲", "1990-01-01"))}
		var wg sync.WaitGroup
		for i, d := range []*Desk{o.Desk, &other} {
			wg.Go(func() {
				if _, err := d.Load(t.Context(), Delivery{Register: "people", Path: files[i], Received: calendar.MustParse("2024-12-01"), At: time.Unix(1, 0)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s := o.state(); s.deliveries != 2 || s.holders != 3 {
			t.Errorf("%+v", s)
		}
	})
}
