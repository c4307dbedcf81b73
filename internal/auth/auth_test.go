package auth

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/store/storetest"
)

func TestTheFirstAccountComesByAOneTimeLink(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		_, _, err := o.SignIn(ctx, o.attempt("security"))
		wants(t, "before there is any account", err, "auth.signin_failed")
		link := o.first()
		for _, guess := range []string{"", "security", "admin", "password", link} {
			in := o.attempt("security")
			in.Password = guess
			o.wait(time.Hour)
			_, _, err := o.SignIn(ctx, in)
			wants(t, "before the link was used, with "+guess[:min(4, len(guess))], err, "auth.signin_failed")
		}
		o.wait(time.Hour)
		_, _, err = o.Welcome(ctx, link, "short")
		wants(t, "a short password", err, "auth.password_short")
		o.welcome(link)
		if _, who := o.signIn("security"); !who.Has("account.add") || who.Has("person.look") || who.Has("audit.read") {
			t.Errorf("the first account may %v", who.Grants)
		}
		_, err = o.FirstLink(ctx, "")
		wants(t, "a second first account", err, "auth.first_done")
	})
}

func TestALinkIsGoodOnceAndForADay(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		lost := o.first()
		link := o.first() // nobody signed in yet: it is made anew
		_, _, err := o.Welcome(ctx, lost, phrase)
		wants(t, "a link that another took the place of", err, "auth.link_dead")
		o.welcome(link)
		_, _, err = o.Welcome(ctx, link, phrase+"!")
		wants(t, "a link used twice", err, "auth.link_dead")
		_, _, err = o.Welcome(ctx, link[:len(link)-1], phrase)
		wants(t, "a link that is none", err, "auth.link_dead")
		_, by := o.signIn("security")
		late, err := o.Add(ctx, by, New{Name: "wang.fang"}, Giving{Role: "auditor", Scope: All})
		must(t, late, err)
		o.wait(LinkLife)
		_, _, err = o.Welcome(ctx, late, phrase)
		wants(t, "a link after its day", err, "auth.link_dead")
		again, err := o.Link(ctx, by, "wang.fang")
		must(t, again, err)
		o.wait(LinkLife - time.Second)
		o.welcome(again)
	})
}

// Two who open one link at once: one of them has the account.
func TestALinkIsGoodForOneOfTwo(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		link := o.first()
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { _, _, errs[i] = o.Welcome(t.Context(), link, phrase) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				wants(t, "the other", err, "auth.link_dead")
			}
		}
		if won != 1 {
			t.Errorf("%d opened it", won)
		}
	})
}

func TestASignInMakesASessionOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.security()
		// What the browser came with is never what it leaves with, be it made up, somebody's, or one's own from before.
		in := o.attempt("security")
		in.Held = "bole_session_chosen-by-somebody-else"
		first, _, err := o.SignIn(ctx, in)
		must(t, first, err)
		if first == in.Held {
			t.Fatal("the session is the one that was brought")
		}
		_, err = o.Session(ctx, in.Held)
		wants(t, "the session that was brought", err, "auth.session_over")
		in = o.attempt("security")
		in.Held = first
		second, _, err := o.SignIn(ctx, in)
		must(t, second, err)
		_, err = o.Session(ctx, first)
		wants(t, "the session before", err, "auth.session_over")
		_, err = o.Session(ctx, second)
		wants(t, "the new session", err, "")
		var texts int
		must(t, 0, o.db.QueryRowContext(ctx, `SELECT count(*) FROM auth_session WHERE hash = $1`, []byte(second)).Scan(&texts))
		if texts != 0 {
			t.Error("the secret is kept")
		}
		must(t, 0, o.SignOut(ctx, second))
		_, err = o.Session(ctx, second)
		wants(t, "after signing out", err, "auth.session_over")
	})
}

func TestASessionEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.security()
		secret, _ := o.signIn("security")
		o.wait(SessionIdle - time.Second)
		_, err := o.Session(ctx, secret)
		wants(t, "before half an hour", err, "")
		o.wait(SessionIdle - time.Second)
		_, err = o.Session(ctx, secret)
		wants(t, "used meanwhile", err, "")
		o.wait(SessionIdle)
		_, err = o.Session(ctx, secret)
		wants(t, "unused for half an hour", err, "auth.session_over")
		secret, _ = o.signIn("security")
		for range 23 {
			o.wait(SessionIdle - time.Second)
			must(t, 0, func() error { _, err := o.Session(ctx, secret); return err }())
		}
		o.wait(SessionIdle)
		_, err = o.Session(ctx, secret)
		wants(t, "after twelve hours of work", err, "auth.session_over")
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "city-clerk", Scope: All})
		o.add(by, "li.si", Giving{Role: "auditor", Scope: All})
		held, clerk := o.signIn("wang.fang")
		_, _ = o.signIn("wang.fang")
		own, err := o.Sessions(ctx, clerk, false)
		if must(t, own, err); len(own) != 2 || own[0].Source != "10.0.0.1" || own[1].Account != "wang.fang" {
			t.Errorf("own: %+v", own)
		}
		_, err = o.Sessions(ctx, clerk, true)
		wants(t, "a clerk lists everybody's", err, "auth.may_not")
		all, err := o.Sessions(ctx, by, true)
		if must(t, all, err); len(all) != 3 {
			t.Errorf("all: %+v", all)
		}
		theirs := all[slices.IndexFunc(all, func(s Online) bool { return s.Account == "security" })].ID
		wants(t, "a clerk ends another's", o.EndSession(ctx, clerk, theirs), "auth.session_none")
		_, auditor := o.signIn("li.si")
		wants(t, "an auditor ends another's", o.EndSession(ctx, auditor, clerk.session), "auth.session_none")
		wants(t, "the security administrator does", o.EndSession(ctx, by, clerk.session), "")
		_, err = o.Session(ctx, held)
		wants(t, "the session that was ended", err, "auth.session_over")
		wants(t, "ended twice", o.EndSession(ctx, by, clerk.session), "auth.session_none")
	})
}

func TestANewPasswordEndsEverything(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.security()
		held, _ := o.signIn("security")
		token, _, err := o.MakeToken(ctx, o.attempt("security"), Wish{Permissions: []string{"account.list"}})
		must(t, token, err)
		wants(t, "a short one", o.SetPassword(ctx, o.attempt("security"), "short"), "auth.password_short")
		wrong := o.attempt("security")
		wrong.Password = "another one altogether"
		wants(t, "the old one is wrong", o.SetPassword(ctx, wrong, "a new phrase of words"), "auth.signin_failed")
		wants(t, "a good one", o.SetPassword(ctx, o.attempt("security"), "a new phrase of words"), "")
		_, err = o.Session(ctx, held)
		wants(t, "the session", err, "auth.session_over")
		_, err = o.Bearer(ctx, "security", token)
		wants(t, "the token", err, "auth.token_over")
		_, _, err = o.SignIn(ctx, o.attempt("security"))
		wants(t, "the old password", err, "auth.signin_failed")
		in := o.attempt("security")
		in.Password = "a new phrase of words"
		_, _, err = o.SignIn(ctx, in)
		wants(t, "the new password", err, "")
	})
}

func TestACodeIsGoodForOneSignIn(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.security()
		in := o.attempt("security")
		_, _, err := o.SignIn(ctx, in)
		wants(t, "the code", err, "")
		_, _, err = o.SignIn(ctx, in)
		wants(t, "the same code", err, "auth.signin_failed")
		in.Code = ""
		_, _, err = o.SignIn(ctx, in)
		wants(t, "no code", err, "auth.signin_failed")
		in = o.attempt("security")
		in.Password = "correct horse staple"
		_, _, err = o.SignIn(ctx, in)
		wants(t, "a code and a wrong password", err, "auth.signin_failed")
		// several at once with one code: one is let in
		in = o.attempt("security")
		var wg sync.WaitGroup
		in2 := make([]error, 3)
		for i := range in2 {
			wg.Go(func() { _, _, in2[i] = o.SignIn(ctx, in) })
		}
		wg.Wait()
		if n := len(slices.DeleteFunc(in2, func(err error) bool { return err != nil })); n != 1 {
			t.Errorf("%d were let in with one code", n)
		}
	})
}

// How long a sign-in takes is how often Argon2 runs; it says nothing about the account.
func TestAnUnknownAccountCostsWhatAKnownOneDoes(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "auditor", Scope: All})
		link, err := o.Add(ctx, by, New{Name: "not.opened"}, Giving{Role: "auditor", Scope: All})
		must(t, link, err)
		o.add(by, "gone", Giving{Role: "auditor", Scope: All})
		must(t, 0, o.End(ctx, by, "gone"))
		for _, c := range []struct{ name, password, want string }{
			{"wang.fang", phrase, ""},
			{"wang.fang", "a wrong phrase of words", "auth.signin_failed"},
			{"nobody", phrase, "auth.signin_failed"},
			{"", "", "auth.signin_failed"},
			{"not.opened", phrase, "auth.signin_failed"},
			{"gone", phrase, "auth.signin_failed"},
		} {
			in := o.attempt(c.name)
			in.Password = c.password
			before := o.hasher.runs.Load()
			_, _, err := o.SignIn(ctx, in)
			wants(t, c.name, err, c.want)
			if n := o.hasher.runs.Load() - before; n != 1 {
				t.Errorf("%q took %d runs", c.name, n)
			}
		}
	})
}

func TestAnAccountIsLockedAndOpensAgain(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.security()
		fail := func(name string) error {
			in := Attempt{Account: name, Password: "a wrong phrase of words", Code: "000000", Source: "10.0.0.9"}
			_, _, err := o.SignIn(ctx, in)
			return err
		}
		for _, name := range []string{"security", "nobody"} { // and the lock does not tell whether there is such an account
			for range 5 {
				wants(t, name, fail(name), "auth.signin_failed")
			}
			before := o.hasher.runs.Load()
			wants(t, name, fail(name), "auth.locked")
			if o.hasher.runs.Load() != before {
				t.Error("a locked account costs a run")
			}
		}
		// the right password does not open it either, until the minute is over
		in := o.attempt("security")
		_, _, err := o.SignIn(ctx, in)
		wants(t, "the right one while it is locked", err, "auth.locked")
		o.wait(30 * time.Second)
		wants(t, "after a minute a try", fail("security"), "auth.signin_failed")
		wants(t, "and another", fail("security"), "auth.locked")
		o.wait(time.Minute)
		wants(t, "after one more minute", fail("security"), "auth.locked")
		o.wait(time.Minute)
		_, who, err := o.SignIn(ctx, o.attempt("security"))
		wants(t, "after two minutes the right one", err, "")
		if who.Name != "security" {
			t.Error("somebody else")
		}
		for range 5 {
			wants(t, "counted anew", fail("security"), "auth.signin_failed")
		}
		for n, want := range map[int64]time.Duration{4: 0, 5: time.Minute, 6: 2 * time.Minute, 8: 8 * time.Minute, 10: 30 * time.Minute, 1000: 30 * time.Minute} {
			if got := delays["account"].after(n); got != want {
				t.Errorf("after %d: %v", n, got)
			}
		}
	})
}

// One password with every name, from one place: after twenty it goes on at the pace of the delays, whatever the names.
func TestPasswordSprayingIsSlowed(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.security()
		spray := func(i int) error {
			_, _, err := o.SignIn(ctx, Attempt{Account: fmt.Sprintf("clerk%d", i), Password: "Spring 2026 Spring", Code: "000000", Source: "203.0.113.7"})
			return err
		}
		before, tried := o.hasher.runs.Load(), 0
		for i := range 240 { // two hours, a try each half minute
			o.wait(30 * time.Second)
			if fault.KindOf(spray(i)) == "" {
				t.Fatal("let in")
			}
			tried++
		}
		if n := o.hasher.runs.Load() - before; n > 30 {
			t.Errorf("of %d tries %d were looked at", tried, n)
		}
		// another place is not slowed by it
		_, _, err := o.SignIn(ctx, o.attempt("security"))
		wants(t, "from elsewhere", err, "")
		// nor does a success of the sprayer's own clear it
		in := o.attempt("security")
		in.Source = "203.0.113.7"
		_, _, err = o.SignIn(ctx, in)
		wants(t, "the sprayer's own account", err, "auth.locked")
		o.wait(2 * time.Hour)
		in = o.attempt("security")
		in.Source = "203.0.113.7"
		_, _, err = o.SignIn(ctx, in)
		wants(t, "after two quiet hours", err, "")
	})
}

// A hundred tries at once are a hundred tries: each is counted before it is looked at.
func TestTriesAtOnceAreAllCounted(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		o.security()
		before := o.hasher.runs.Load()
		var wg sync.WaitGroup
		for range 24 {
			wg.Go(func() {
				_, _, _ = o.SignIn(t.Context(), Attempt{Account: "security", Password: "a wrong phrase of words", Code: "000000", Source: "203.0.113.7"})
			})
		}
		wg.Wait()
		if n := o.hasher.runs.Load() - before; n > 5 {
			t.Errorf("%d of them were looked at", n)
		}
	})
}

func TestRolesThatExcludeEachOther(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		for i, x := range Exclusions {
			name := fmt.Sprintf("account%d", i)
			give := func(role string) Giving {
				r := roleOf(role)
				g := Giving{Role: role, Scope: r.Scopes[0]}
				if bodiesOf[g.Scope][0] > 0 {
					g.Bodies = []string{"etdz"}
				}
				return g
			}
			link, err := o.Add(ctx, by, New{Name: name}, give(x.One[0]))
			must(t, link, err)
			for _, other := range x.Other {
				wants(t, x.One[0]+" and "+other, o.Grant(ctx, by, name, give(other)), "auth.roles_exclude")
			}
			must(t, 0, o.TakeBack(ctx, by, name, x.One[0]))
			wants(t, "after it was taken back "+x.Other[0], o.Grant(ctx, by, name, give(x.Other[0])), "")
			wants(t, x.Other[0]+" and "+x.One[0], o.Grant(ctx, by, name, give(x.One[0])), "auth.roles_exclude")
		}
	})
}

// Two grants at once that exclude each other: one of them is refused.
func TestTwoExclusiveRolesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		link, err := o.Add(ctx, by, New{Name: "wang.fang"}, Giving{Role: "policy-author", Scope: All})
		must(t, link, err)
		must(t, 0, o.TakeBack(ctx, by, "wang.fang", "policy-author"))
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, role := range []string{"policy-author", "policy-publisher"} {
			wg.Go(func() { errs[i] = o.Grant(ctx, by, "wang.fang", Giving{Role: role, Scope: All}) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("both or none: %v, %v", errs[0], errs[1])
		}
	})
}

func TestGrantsHaveTheirScope(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "district-clerk", Scope: Below, Bodies: []string{"etdz"}}) // a functional zone
		for _, c := range []struct {
			name string
			g    Giving
			want string
		}{
			{"a role that there is not", Giving{Role: "root", Scope: All}, "auth.role_unknown"},
			{"a scope that the role has not", Giving{Role: "district-clerk", Scope: All}, "auth.scope_unfit"},
			{"a scope that there is not", Giving{Role: "leader", Scope: "any"}, "auth.scope_unfit"},
			{"no body", Giving{Role: "leader", Scope: Own}, "auth.scope_unfit"},
			{"two own bodies", Giving{Role: "leader", Scope: Own, Bodies: []string{"etdz", "chiping"}}, "auth.scope_unfit"},
			{"a body with all", Giving{Role: "leader", Scope: All, Bodies: []string{"etdz"}}, "auth.scope_unfit"},
			{"a body that there is not", Giving{Role: "leader", Scope: Own, Bodies: []string{"371502"}}, "auth.body_unknown"},
			{"chosen", Giving{Role: "leader", Scope: Chosen, Bodies: []string{"etdz", "chiping", "etdz"}}, ""},
		} {
			wants(t, c.name, o.Grant(ctx, by, "wang.fang", c.g), c.want)
		}
		held, who := o.signIn("wang.fang")
		if !who.Allows("person.reveal", Place{Body: "etdz-station"}) || who.Allows("person.reveal", Place{Body: "chiping"}) || !who.Allows("person.look", Place{Body: "chiping"}) {
			t.Errorf("grants: %+v", who.Grants)
		}
		// a role in another scope takes the place of the role, at once
		must(t, 0, o.Grant(ctx, by, "wang.fang", Giving{Role: "district-clerk", Scope: Own, Bodies: []string{"chiping"}}))
		now, err := o.Session(ctx, held)
		if must(t, now, err); now.Allows("person.reveal", Place{Body: "etdz"}) || !now.Allows("person.reveal", Place{Body: "chiping"}) || len(now.Grants) != 2 {
			t.Errorf("grants: %+v", now.Grants)
		}
	})
}

func TestNobodyChangesTheirOwnRights(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "li.si", Giving{Role: "system-administrator", Scope: All})
		wants(t, "grant", o.Grant(ctx, by, "Security ", Giving{Role: "auditor", Scope: All}), "auth.not_oneself")
		wants(t, "take back", o.TakeBack(ctx, by, "security", "security-administrator"), "auth.not_oneself")
		wants(t, "end", o.End(ctx, by, "security"), "auth.not_oneself")
		_, err := o.Link(ctx, by, "security")
		wants(t, "link", err, "auth.not_oneself")
		_, other := o.signIn("li.si")
		wants(t, "another administrator grants", o.Grant(ctx, other, "security", Giving{Role: "leader", Scope: All}), "auth.may_not")
		_, err = o.Add(ctx, other, New{Name: "mine"}, Giving{Role: "leader", Scope: All})
		wants(t, "another administrator adds", err, "auth.may_not")
		_, err = o.Accounts(ctx, other)
		wants(t, "another administrator lists", err, "auth.may_not")
		_, err = o.Add(ctx, by, New{Name: "li.si"}, Giving{Role: "leader", Scope: All})
		wants(t, "a name that is taken", err, "auth.name_taken")
		_, err = o.Add(ctx, by, New{Name: "13800138000"}, Giving{Role: "leader", Scope: All})
		wants(t, "a phone for a name", err, "auth.name_shape")
		_, err = o.Add(ctx, by, New{Name: "wu", Subject: "person:371502199001011234"}, Giving{Role: "citizen", Scope: Self})
		wants(t, "an identity number for a subject", err, "auth.subject_shape")
		wants(t, "nobody's", o.Grant(ctx, by, "nobody", Giving{Role: "leader", Scope: All}), "auth.account_none")
	})
}

func TestATokenHasItsScope(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "city-clerk", Scope: All})
		o.add(by, "li.si", Giving{Role: "leader", Scope: All})
		for _, c := range []struct {
			name string
			w    Wish
			want string
		}{
			{"nothing", Wish{}, "auth.permission_none"},
			{"what there is not", Wish{Permissions: []string{"person.own"}}, "auth.permission_unknown"},
			{"what the account has not", Wish{Permissions: []string{"account.add"}}, "auth.may_not"},
			{"for ever", Wish{Permissions: []string{Everything}, Life: 400 * 24 * time.Hour}, "auth.token_life"},
		} {
			_, _, err := o.MakeToken(ctx, o.attempt("wang.fang"), c.w)
			wants(t, c.name, err, c.want)
		}
		in := o.attempt("wang.fang")
		in.Code = "000000"
		_, _, err := o.MakeToken(ctx, in, Wish{Permissions: []string{Everything}})
		wants(t, "without a code", err, "auth.signin_failed")
		secret, token, err := o.MakeToken(ctx, o.attempt("wang.fang"), Wish{Title: "list", Permissions: []string{"finding.list", "person.look"}, Life: 24 * time.Hour})
		must(t, secret, err)
		who, err := o.Bearer(ctx, "wang.fang", secret)
		must(t, who, err)
		for p, want := range map[string]bool{"finding.list": true, "person.look": true, "person.reveal": false, "account.add": false} {
			if who.Has(p) != want || who.Allows(p, Place{Body: "etdz"}) != want {
				t.Errorf("%s: %v", p, !want)
			}
		}
		_, err = o.Bearer(ctx, "li.si", secret)
		wants(t, "for another account", err, "auth.token_over")
		_, err = o.Bearer(ctx, "wang.fang", secret[:len(secret)-1]+"x")
		wants(t, "a made-up token", err, "auth.token_over")

		// a token makes a narrower one, and that makes none
		_, _, err = o.Narrow(ctx, who, Wish{Permissions: []string{"person.reveal"}})
		wants(t, "a wider one", err, "auth.may_not")
		o.wait(time.Second)
		small, child, err := o.Narrow(ctx, who, Wish{Permissions: []string{"finding.list"}})
		must(t, small, err)
		if !child.Expires.Equal(token.Expires) {
			t.Errorf("it lives until %v, its parent until %v", child.Expires, token.Expires)
		}
		less, err := o.Bearer(ctx, "wang.fang", small)
		if must(t, less, err); less.Has("person.look") || !less.Has("finding.list") {
			t.Error("it is not narrower")
		}
		_, _, err = o.Narrow(ctx, less, Wish{Permissions: []string{"finding.list"}})
		wants(t, "a third", err, "auth.token_child")
		own, err := o.Tokens(ctx, who)
		if must(t, own, err); len(own) != 2 || own[1].Title != "list" || own[1].Seen.IsZero() {
			t.Errorf("tokens: %+v", own)
		}

		// what the account loses the token loses; what it is given later the token has not
		must(t, 0, o.Grant(ctx, by, "wang.fang", Giving{Role: "data-desk", Scope: All}))
		must(t, 0, o.TakeBack(ctx, by, "wang.fang", "city-clerk"))
		who, err = o.Bearer(ctx, "wang.fang", secret)
		if must(t, who, err); who.Has("finding.list") || who.Has("delivery.load") {
			t.Error("the token has kept something, or got something")
		}
		_, other := o.signIn("li.si")
		wants(t, "another's token", o.EndToken(ctx, other, token.ID), "auth.token_none")
		wants(t, "one's own", o.EndToken(ctx, who, token.ID), "")
		for _, s := range []string{secret, small} {
			_, err = o.Bearer(ctx, "wang.fang", s)
			wants(t, "after it was ended", err, "auth.token_over")
		}
		secret, _, err = o.MakeToken(ctx, o.attempt("wang.fang"), Wish{Permissions: []string{Everything}, Life: 24 * time.Hour})
		must(t, secret, err)
		o.wait(24 * time.Hour)
		_, err = o.Bearer(ctx, "wang.fang", secret)
		wants(t, "after its day", err, "auth.token_over")
	})
}

func TestAnEndedAccountIsDeadAtOnce(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "city-clerk", Scope: All})
		held, _ := o.signIn("wang.fang")
		token, _, err := o.MakeToken(ctx, o.attempt("wang.fang"), Wish{Permissions: []string{Everything}})
		must(t, token, err)
		link, err := o.Link(ctx, by, "wang.fang")
		must(t, link, err)
		must(t, 0, o.End(ctx, by, "wang.fang"))
		_, err = o.Session(ctx, held)
		wants(t, "session", err, "auth.session_over")
		_, err = o.Bearer(ctx, "wang.fang", token)
		wants(t, "token", err, "auth.token_over")
		_, _, err = o.Welcome(ctx, link, phrase)
		wants(t, "link", err, "auth.link_dead")
		_, _, err = o.SignIn(ctx, o.attempt("wang.fang"))
		wants(t, "sign-in", err, "auth.signin_failed")
		wants(t, "grant", o.Grant(ctx, by, "wang.fang", Giving{Role: "leader", Scope: All}), "auth.account_ended")
		wants(t, "end", o.End(ctx, by, "wang.fang"), "auth.account_ended")
		all, err := o.Accounts(ctx, by)
		if must(t, all, err); len(all) != 2 || all[1].Ended.IsZero() || len(all[1].Grants) != 0 || all[0].Seen.IsZero() || !all[0].Ready {
			t.Errorf("accounts: %+v", all)
		}
	})
}

func TestTheLogHasOneRecordOfEach(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		link := o.first()
		o.wait(time.Second)
		o.welcome(link)
		_, by := o.signIn("security")
		o.add(by, "wang.fang", Giving{Role: "city-clerk", Scope: All})
		bad := o.attempt("wang.fang")
		bad.Password = "a secret typed wrong"
		_, _, _ = o.SignIn(ctx, bad)
		bad.Account = "my-password-in-the-wrong-field"
		_, _, _ = o.SignIn(ctx, bad)
		held, _ := o.signIn("wang.fang")
		must(t, 0, o.SignOut(ctx, held))
		must(t, 0, o.SignOut(ctx, held)) // over already: no record
		_, who := o.signIn("wang.fang")
		token, made, err := o.MakeToken(ctx, o.attempt("wang.fang"), Wish{Permissions: []string{Everything}})
		must(t, token, err)
		must(t, 0, o.EndToken(ctx, who, made.ID))
		value, err := Reveal(ctx, o.Desk, who, Look{Person: "P-7K2M-90C", At: Place{Body: "etdz"}, Fields: []Field{Phone}, Reason: "电话回访"}, func() (string, error) { return "13800138000", nil })
		if must(t, value, err); value != "13800138000" {
			t.Error("not revealed")
		}
		o.wait(time.Second)
		must(t, 0, o.SetPassword(ctx, o.attempt("wang.fang"), "a new phrase of words"))
		must(t, 0, o.Grant(ctx, by, "wang.fang", Giving{Role: "leader", Scope: Own, Bodies: []string{"etdz"}}))
		must(t, 0, o.TakeBack(ctx, by, "wang.fang", "leader"))
		again, err := o.Link(ctx, by, "wang.fang")
		must(t, again, err)
		must(t, 0, o.End(ctx, by, "wang.fang"))
		want := []string{
			"system add account security", "system grant account security", "system link account security",
			"security welcome account security", "security sign_in session …",
			"security add account wang.fang", "security grant account wang.fang", "security link account wang.fang", "wang.fang welcome account wang.fang",
			"system sign_in_failed account wang.fang", "system sign_in_failed account ",
			"wang.fang sign_in session …", "wang.fang end session …",
			"wang.fang sign_in session …", "wang.fang make token …", "wang.fang end token …", "wang.fang reveal person …",
			"wang.fang end session …", "wang.fang set_password account wang.fang",
			"security grant account wang.fang", "security take_back account wang.fang", "security link account wang.fang", "security end account wang.fang",
		}
		got := o.logged()
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		// and nothing in it that opens anything, or is anybody's
		rows, err := list(ctx, o.db, func(rows *sql.Rows, s *string) error {
			var before, after, reason, request string
			err := rows.Scan(&before, &after, &reason, &request)
			*s = before + after + reason + request
			return err
		}, `SELECT before_fields, after_fields, reason, request FROM audit_record`)
		all := strings.Join(must(t, rows, err), "\n")
		for _, secret := range []string{phrase, "a secret typed wrong", "my-password", link, again, held, token, "bole_", "13800138000", o.two["wang.fang"].Secret, "argon2"} {
			if strings.Contains(all, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

func TestARecordIsKeptOrNothingIs(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "city-clerk", Scope: All})
		before := len(o.logged())
		at := o.at
		o.at = time.Time{} // the log refuses a record without an instant
		for what, err := range map[string]error{
			"grant": o.Grant(ctx, by, "wang.fang", Giving{Role: "leader", Scope: All}),
			"end":   o.End(ctx, by, "wang.fang"),
		} {
			wants(t, what, err, "audit.record")
		}
		o.at = at
		_, who := o.signIn("wang.fang")
		if len(who.Grants) != 1 || len(o.logged()) != before+1 {
			t.Errorf("something was kept: %+v", who.Grants)
		}
	})
}

func TestRevealNeedsAReasonAndLeavesARecord(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "district-clerk", Scope: Own, Bodies: []string{"etdz"}})
		_, clerk := o.signIn("wang.fang")
		for _, c := range []struct {
			name   string
			by     Actor
			body   string
			reason string
			want   string
		}{
			{"no reason", clerk, "etdz", "  \t ", "auth.reason"},
			{"a short one", clerk, "etdz", "看看", "auth.reason"},
			{"a number in it", clerk, "etdz", "回访 138 0013 8000", "audit.personal"},
			{"another body's", clerk, "chiping", "电话回访", "auth.may_not"},
			{"a row of no body", clerk, "", "电话回访", "auth.may_not"},
			{"an administrator", by, "etdz", "电话回访", "auth.may_not"},
			{"a good one", clerk, "etdz", "电话回访", ""},
		} {
			read := false
			_, err := Reveal(ctx, o.Desk, c.by, Look{Person: "P-7K2M-90C", At: Place{Body: c.body}, Fields: []Field{Phone, IDNumber}, Reason: c.reason}, func() (int, error) {
				read = true
				return 0, nil
			})
			wants(t, c.name, err, c.want)
			if read != (c.want == "") {
				t.Errorf("%s: read %v", c.name, read)
			}
		}
		var role, fields, reason string
		must(t, 0, o.db.QueryRowContext(ctx, `SELECT role, after_fields, reason FROM audit_record WHERE action = 'reveal'`).Scan(&role, &fields, &reason))
		var f map[string]string
		must(t, 0, json.Unmarshal([]byte(fields), &f))
		if role != "district-clerk" || f["fields"] != "phone,id_number" || reason != "电话回访" {
			t.Errorf("record: %s %s %s", role, fields, reason)
		}
	})
}

func TestNobodyDoesTwoStepsOfAMatter(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		o.add(by, "wang.fang", Giving{Role: "city-clerk", Scope: All})
		_, one := o.signIn("security")
		_, two := o.signIn("wang.fang")
		for _, c := range []struct {
			by           Actor
			matter, step string
			want         string
		}{
			{one, "case 1", "case.accept", ""},
			{one, "case 1", "case.accept", ""}, // the same step again
			{one, "case 1", "case.review", "auth.duty"},
			{one, "case 1", "payment.release", "auth.duty"},
			{one, "case 2", "case.review", ""}, // another matter
			{two, "case 1", "case.review", ""},
			{two, "case 1", "case.accept", "auth.duty"},
			{one, "case 1", "case.note", ""}, // a step that anybody may do
			{two, "policy p", "policy.publish", ""},
			{two, "policy p", "policy.write", "auth.duty"},
		} {
			err := o.tx(func(tx *sql.Tx) error { return o.Did(ctx, tx, o.at, c.by, c.matter, c.step) })
			wants(t, c.by.Name+" "+c.matter+" "+c.step, err, c.want)
		}
	})
}

func TestCredentialsMoveToTheNewKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		o := newOffice(t, open())
		ctx := t.Context()
		o.security()
		old := o.keys.Current()
		if _, err := seal.Rotate(o.dir); err != nil {
			t.Fatal(err)
		}
		n, err := o.Reseal(ctx)
		if must(t, n, err); n != 2 {
			t.Errorf("%d resealed", n)
		}
		by, err := o.Sealed(ctx)
		if must(t, by, err); by[old] != 0 || by[o.keys.Current()] != 2 {
			t.Errorf("sealed: %v", by)
		}
		if n, err := o.Reseal(ctx); err != nil || n != 0 {
			t.Errorf("again: %d, %v", n, err)
		}
		o.signIn("security")
	})
}

// A hash of older parameters becomes one of today's with the next sign-in.
func TestAHashGrowsWithTheNextSignIn(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		o.security()
		o.hasher.cost = Cost{Time: 2, Memory: 64, Threads: 1}
		o.signIn("security")
		hash, _, _, _, err := o.credentials(t.Context(), 1)
		if must(t, hash, err); !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=2,p=1$") {
			t.Errorf("hash %s", hash)
		}
		before := o.hasher.runs.Load()
		o.signIn("security")
		if n := o.hasher.runs.Load() - before; n != 1 {
			t.Errorf("%d runs", n)
		}
	})
}

// Many who come in at once, each with a session of their own.
func TestManySignInAtOnce(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by := o.security()
		ins := make([]Attempt, 8)
		for i := range ins {
			name := fmt.Sprintf("clerk%d", i)
			o.add(by, name, Giving{Role: "city-clerk", Scope: All})
			ins[i] = Attempt{Account: name, Password: phrase, Source: fmt.Sprintf("10.0.0.%d", i)}
		}
		for i := range ins {
			ins[i].Code = codeOf(o.two[ins[i].Account].Secret, o.at)
		}
		var wg sync.WaitGroup
		for _, in := range ins {
			wg.Go(func() {
				if _, who, err := o.SignIn(ctx, in); err != nil || who.Name != in.Account {
					t.Errorf("%s: %v", in.Account, err)
				}
			})
		}
		wg.Wait()
	})
}
