package auth

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"bole/internal/fault"
	"bole/internal/store"
)

// Duty says that nobody does two of these steps of one matter.
type Duty struct {
	Steps []string
	Why   Words
}

// Duties are the steps that take different people, whatever roles these have.
//
// Source: the office's order of acceptance, first review, second review, payment order and release; who writes a rule does not publish it.
var Duties = []Duty{
	{[]string{"case.accept", "case.review", "case.recheck", "payment.prepare", "payment.release"}, Words{"受理、初审、复审、资金制单、复核放款须由不同的人办理", "acceptance, review, second review, payment order and release are five people"}},
	{[]string{"policy.write", "policy.publish"}, Words{"政策起草与发布须由不同的人完成", "who writes a policy does not publish it"}},
	{[]string{"export.ask", "export.approve"}, Words{"导出的申请与批准须由不同的人完成", "who asks for an export does not approve it"}},
}

// Did writes that an actor does a step of a matter, in the transaction of the step; it is refused to whoever did another step that takes another
// person. The same step may be done again by the same.
//
// Errors: Forbidden "auth.duty", with the reason.
func (d *Desk) Did(ctx context.Context, tx *sql.Tx, at time.Time, by Actor, matter, step string) error {
	const op = "auth.Did"
	done, err := list(ctx, tx, func(rows *sql.Rows, s *string) error { return rows.Scan(s) },
		`SELECT step FROM auth_duty WHERE matter = $1 AND account = $2 ORDER BY step`, matter, by.Account)
	if err != nil {
		return fault.Wrap(op, err)
	}
	for _, other := range done {
		if other == step {
			return nil
		}
		if why := parted(step, other); why != nil {
			return fault.New(op, fault.Forbidden, "auth.duty", "account", by.Name, "step", step, "other", other, "why_zh", why.Zh, "why_en", why.En)
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO auth_duty (matter, step, account, at) VALUES ($1, $2, $3, $4)`, matter, step, by.Account, store.Micros(at))
	return fault.Wrap(op, err)
}

// parted is why two steps take two people; nil where one may do both.
func parted(a, b string) *Words {
	for i, x := range Duties {
		if a != b && slices.Contains(x.Steps, a) && slices.Contains(x.Steps, b) {
			return &Duties[i].Why
		}
	}
	return nil
}
