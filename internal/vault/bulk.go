package vault

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// bulkRows is how many rows one statement takes.
const bulkRows = 300

// bulk writes rows of a table many at a time, with one statement for both databases. What is added must stay as it is until the next
// flush.
type bulk struct {
	tx      *sql.Tx
	head    string // INSERT INTO t (a, b) VALUES
	tail    string // ON CONFLICT ...
	columns int
	args    []any
	whole   *sql.Stmt // of bulkRows rows
}

func (b *bulk) add(ctx context.Context, row ...any) error {
	b.args = append(b.args, row...)
	if len(b.args) < bulkRows*b.columns {
		return nil
	}
	return b.flush(ctx)
}

func (b *bulk) flush(ctx context.Context) (err error) {
	n := len(b.args) / b.columns
	switch {
	case n == 0:
		return nil
	case n < bulkRows:
		_, err = b.tx.ExecContext(ctx, b.text(n), b.args...)
	default:
		if b.whole == nil {
			if b.whole, err = b.tx.PrepareContext(ctx, b.text(bulkRows)); err != nil {
				return err
			}
		}
		_, err = b.whole.ExecContext(ctx, b.args...)
	}
	b.args = b.args[:0]
	return err
}

// end writes what is left.
func (b *bulk) end(ctx context.Context) error {
	err := b.flush(ctx)
	if b.whole != nil {
		err = errors.Join(err, b.whole.Close())
	}
	return err
}

// text is the statement for n rows: ($1, $2), ($3, $4).
func (b *bulk) text(n int) string {
	return b.head + " VALUES " + places(n, b.columns) + " " + b.tail
}

func places(rows, columns int) string {
	var s strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			s.WriteString("(")
		case i%columns == 0:
			s.WriteString("), (")
		default:
			s.WriteString(", ")
		}
		s.WriteString("$" + strconv.Itoa(i+1))
	}
	return s.String() + ")"
}
