package register

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/pack"
	"bole/internal/sheet"
)

// waits is one rejected row in the office's database.
type waits struct {
	delivery, ord int64
	stands        int64 // the delivery whose row it is
	content, key  int64
	month         int64
	reasons       string
	received      calendar.Day // of its delivery
	closed        bool
}

// waiting is what a load knows of the rows of its register that wait, and which of them it closes.
type waiting struct {
	mode      string
	at        map[[2]int64]*waits // by delivery and ord; in a workbook of corrections also those that are closed
	byContent map[int64]*waits
	byKey     map[int64][]*waits
	closes    map[*waits]int64 // → the delivery that closes it
	carried   map[*waits]*part // rows that stand in this delivery as they were rejected in one whose place it takes
}

// waits learns which rows of the register wait.
func (l *loading) waits(ctx context.Context) (*waiting, error) {
	w := &waiting{mode: l.reg.Mode.Text, at: map[[2]int64]*waits{}, byContent: map[int64]*waits{}, byKey: map[int64][]*waits{}, closes: map[*waits]int64{}, carried: map[*waits]*part{}}
	query := `SELECT r.delivery, r.ord, r.stands, r.content, r.key_hash, r.month, r.reasons, s.received, r.closed_by IS NOT NULL
FROM register_reject r JOIN register_delivery s ON s.id = r.stands WHERE r.register = $1`
	if !l.lines.corrects() {
		query += " AND r.closed_by IS NULL"
	}
	rows, err := l.Store.QueryContext(ctx, query, l.reg.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r := &waits{}
		if err := rows.Scan(&r.delivery, &r.ord, &r.stands, &r.content, &r.key, &r.month, &r.reasons, &r.received, &r.closed); err != nil {
			return nil, err
		}
		w.at[[2]int64{r.delivery, r.ord}] = r
		if r.closed {
			continue
		}
		w.byContent[r.content] = r
		if r.key != 0 && w.mode != "append" { // rows that are only added may share a key
			w.byKey[r.key] = append(w.byKey[r.key], r)
		}
	}
	return w, rows.Err()
}

// rejectNumber is how a reject is named in its workbook: the delivery, the row's place in it, and four letters that only this home's keys can make,
// so that a slip of the pen and another home's workbook are noticed.
func (d *Desk) rejectNumber(delivery, ord int64) string {
	n := fmt.Sprintf("%d-%d", delivery, ord)
	return n + "-" + d.Vault.Keyed("reject number", n)[:4]
}

// belongs finds the part of a row: in a workbook of corrections that of the delivery which it corrects. A row whose number is nobody's is not known, and
// belongs to this delivery itself.
//
// Errors: Invalid "register.early" for corrections received before what they correct.
func (l *loading) belongs(t *taken) (p *part, known bool, err error) {
	if !l.lines.corrects() {
		return l.part(0, 0), true, nil
	}
	mended := l.mended(t)
	if mended == nil {
		return l.part(0, 0), false, nil
	}
	if l.in.Received < mended.received {
		return nil, false, fault.New("register.belongs", fault.Invalid, "register.early", "file", l.rep.File, "received", mended.received)
	}
	return l.part(mended.stands, mended.received), true, nil
}

// mended finds the rejected row that a row of a workbook of corrections corrects; nil when its number is nobody's.
func (l *loading) mended(t *taken) *waits {
	number := sheet.Clean(t.number)
	var delivery, ord int64
	if _, err := fmt.Sscanf(number, "%d-%d-", &delivery, &ord); err != nil || number != l.rejectNumber(delivery, ord) {
		return nil
	}
	return l.waiting.at[[2]int64{delivery, ord}]
}

// refuse puts a row into quarantine, unless the very same row waits there already.
func (l *loading) refuse(t *taken, p *part, reasons []reason) error {
	if t.Fault == sheet.RowCut {
		l.rep.Cut = t.Line
	}
	content := l.content(t)
	known := l.waiting.byContent[content]
	if l.lines.corrects() {
		mended := l.mended(t)
		switch {
		case mended == nil:
		case mended.content == content: // as it was; it may have come right in another workbook meanwhile
			known = mended
		case known == nil:
			l.waiting.close(mended, p.id)
		}
	} else if known != nil && l.replaces() {
		l.waiting.carried[known] = p // this delivery overtakes the one that it waits of, and says the same
	}
	if known != nil {
		p.unchanged++
		l.rep.Unchanged++
		if !known.closed {
			l.rep.StillWaiting++
		}
		return nil
	}
	p.quarantined++
	l.rep.Quarantined++
	return l.rejects.add(t, p, reasons, content)
}

// content is a keyed fingerprint of what a row says, whatever form it came in.
func (l *loading) content(t *taken) int64 {
	said := []string{l.reg.Name}
	for i, f := range t.Fields {
		if f = sheet.Clean(f); f != "" {
			said = append(said, field(t.header, i), f)
		}
	}
	f := l.Vault.Fingerprint(strings.Join(said, "\x00"))
	return int64(binary.BigEndian.Uint64(f[:8]))
}

// right closes what waited under the number or the key of a row that can be accepted.
func (w *waiting) right(l *loading, t *taken, p *part) {
	if l.lines.corrects() {
		if mended := l.mended(t); mended != nil {
			w.close(mended, p.id)
		}
	}
	for _, r := range w.byKey[int64(t.key)] {
		if r.received <= l.in.Received {
			w.close(r, p.id)
		}
	}
}

// close says that a row no longer waits, once.
func (w *waiting) close(r *waits, by int64) {
	if !r.closed {
		w.closes[r] = by
	}
}

// open counts the rows that waited when the load began.
func (w *waiting) open() (n int64) {
	for _, r := range w.at {
		if !r.closed {
			n++
		}
	}
	return n
}

// overtaken closes what waited of deliveries that this one takes the place of.
func (w *waiting) overtaken(reg *pack.Register, p *part, received calendar.Day) {
	for _, r := range w.at {
		if r.received > received || w.carried[r] != nil {
			continue
		}
		if reg.Mode.Text == "replace_all" || reg.Mode.Text == "replace_month" && p.months[calendar.Month(r.month)] {
			w.close(r, p.id)
		}
	}
}

// record writes which rows no longer wait, and which go on waiting as rows of another delivery.
func (w *waiting) record(ctx context.Context, tx *sql.Tx) (err error) {
	for r, p := range w.carried {
		if p.wrote.Rows == 0 {
			continue // it left no file, so a correction stands with the earlier delivery
		}
		if _, err := tx.ExecContext(ctx, `UPDATE register_reject SET stands = $1 WHERE delivery = $2 AND ord = $3`, p.id, r.delivery, r.ord); err != nil {
			return err
		}
	}
	if len(w.closes) == 0 {
		return nil
	}
	one, err := tx.PrepareContext(ctx, `UPDATE register_reject SET closed_by = $1 WHERE delivery = $2 AND ord = $3 AND closed_by IS NULL`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, one.Close()) }()
	for r, by := range w.closes {
		if _, err := one.ExecContext(ctx, by, r.delivery, r.ord); err != nil {
			return err
		}
	}
	return nil
}

// recall takes the senders' maps of the register's earlier deliveries: a workbook of rejects has the sender's own headings.
func (l *loading) recall(ctx context.Context, r *lines) error {
	rows, err := l.Store.QueryContext(ctx, `SELECT DISTINCT headings FROM register_delivery WHERE register = $1 AND headings <> '' AND headings <> 'null' ORDER BY headings`, l.reg.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var headings map[string]string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &headings); err != nil {
			return err
		}
		for h, col := range headings {
			if l.reg.Column(col) == nil {
				delete(headings, h) // the pack has changed since
			}
		}
		if err := r.learn(headings); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return r.learn(l.in.Headings)
}

// Wait is how many rows wait for one reason.
type Wait struct {
	Register string `json:"register"`
	Reason   string `json:"reason"` // column and message, or the check of the pack
	Rows     int64  `json:"rows"`
}

// Waiting counts the rows that wait, by register and reason; a row with two reasons counts under both, and rows is how many there are in all.
// register "" is all of them. Where book is not nil they are written into it.
//
// Errors: NotFound for an unknown register.
func (d *Desk) Waiting(ctx context.Context, register string, book *Rejects) (out []Wait, rows int64, err error) {
	if register != "" {
		if _, err := d.register(register); err != nil {
			return nil, 0, err
		}
	}
	open := map[[2]int64]bool{}
	counts := map[[2]string]int64{}
	err = d.each(ctx, `SELECT register, delivery, ord, reasons FROM register_reject WHERE closed_by IS NULL AND ($1 = '' OR register = $1)`, register, func(scan func(...any) error) error {
		var name, reasons string
		var at [2]int64
		if err := scan(&name, &at[0], &at[1], &reasons); err != nil {
			return err
		}
		open[at] = true
		rows++
		for _, r := range strings.Fields(reasons) {
			counts[[2]string{name, r}]++
		}
		return nil
	})
	if err != nil {
		return nil, 0, fault.Wrap("register.Waiting", err)
	}
	for at, n := range counts {
		out = append(out, Wait{Register: at[0], Reason: at[1], Rows: n})
	}
	slices.SortFunc(out, func(a, b Wait) int {
		return cmp.Or(cmp.Compare(a.Register, b.Register), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Reason, b.Reason))
	})
	if book == nil || rows == 0 {
		return out, rows, nil
	}
	var blobs []string
	err = d.each(ctx, `SELECT DISTINCT rejects FROM register_delivery WHERE rejects <> '' AND ($1 = '' OR register = $1)
AND EXISTS (SELECT 1 FROM register_reject r WHERE r.delivery = register_delivery.id AND r.closed_by IS NULL) ORDER BY rejects`, register, func(scan func(...any) error) error {
		var sum string
		err := scan(&sum)
		blobs = append(blobs, sum)
		return err
	})
	for _, sum := range blobs {
		if err != nil {
			break
		}
		err = d.kept(sum, func(header []string, h *handed) error {
			if !open[[2]int64{h.Delivery, h.Ord}] {
				return nil
			}
			return book.add(header, h)
		})
	}
	return out, rows, fault.Wrap("register.Waiting", err)
}

// Pair is two holders whom a delivered row calls one person, though the numbers of two citizens name them.
type Pair struct {
	Holder   int64
	Other    int64
	Register string
	Known    calendar.Day // the day on which the delivery was received
}

// Pairs lists the pairs that wait for a person to say whether they are one, by register ("" for all).
func (d *Desk) Pairs(ctx context.Context, register string) (out []Pair, err error) {
	err = d.each(ctx, `SELECT holder, other, register, known FROM register_pair WHERE $1 = '' OR register = $1 ORDER BY holder, other`, register, func(scan func(...any) error) error {
		var p Pair
		err := scan(&p.Holder, &p.Other, &p.Register, &p.Known)
		out = append(out, p)
		return err
	})
	return out, fault.Wrap("register.Pairs", err)
}

// each runs a query of the office's database row by row.
func (d *Desk) each(ctx context.Context, query string, arg any, row func(scan func(...any) error) error) error {
	rows, err := d.Store.QueryContext(ctx, query, arg)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
