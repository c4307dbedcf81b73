package lake

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/store"
)

// Lake is the folder of Parquet files and its manifest in the office's database.
type Lake struct {
	dir string
	db  *store.DB
	cfg columnar.Config
	now func() time.Time
}

// Open opens the lake in dir. now is the clock of leases and of the manifest's "at".
func Open(dir string, db *store.DB, cfg columnar.Config, now func() time.Time) (*Lake, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap("lake.Open", err)
	}
	return &Lake{dir, db, cfg, now}, nil
}

// File is one file of a table, as the manifest knows it.
type File struct {
	Table    string
	Path     string // relative to the lake
	Rows     int64
	Received calendar.Day // 0 for derived files
	Cutoff   calendar.Day
	Seq      int64  // order of deliveries received on the same day
	Meta     string // what the writer wants to know when it reads: the months that a delivery replaces, the parameters of a run

	// Where it stands among the deliveries of its table; by Received and Seq when these are 0. Rows that correct an earlier delivery stand with it,
	// and yet were not known before the day they were received.
	Stands    calendar.Day
	StandsSeq int64

	columns []string // names; empty when not recorded
}

// Generation returns the newest generation; 0 for an empty lake.
func (l *Lake) Generation(ctx context.Context) (int64, error) {
	var id sql.NullInt64
	err := l.db.QueryRowContext(ctx, `SELECT max(id) FROM lake_generation`).Scan(&id)
	return id.Int64, fault.Wrap("lake.Generation", err)
}

func (l *Lake) files(ctx context.Context, generation int64, asOf calendar.Day) (map[string][]File, error) {
	rows, err := l.db.QueryContext(ctx, `
SELECT tbl, path, row_count, received, cutoff, seq, meta, stands, stands_seq, columns
FROM lake_file
WHERE added <= $1 AND (dropped IS NULL OR dropped > $1) AND ($2 = 0 OR received <= $2)
ORDER BY tbl, stands, stands_seq, received, seq, path`, generation, asOf)
	if err != nil {
		return nil, fault.Wrap("lake.files", err)
	}
	defer rows.Close()
	out := map[string][]File{}
	for rows.Next() {
		var f File
		var columns string
		if err := rows.Scan(&f.Table, &f.Path, &f.Rows, &f.Received, &f.Cutoff, &f.Seq, &f.Meta, &f.Stands, &f.StandsSeq, &columns); err != nil {
			return nil, fault.Wrap("lake.files", err)
		}
		f.columns = strings.Fields(columns)
		out[f.Table] = append(out[f.Table], f)
	}
	return out, fault.Wrap("lake.files", rows.Err())
}

// Snapshot is a reader's view: one generation, as of a day, over a DuckDB instance of its own.
type Snapshot struct {
	*columnar.DB
	Generation int64
	AsOf       calendar.Day // 0 for everything received so far
	dir        string
	files      map[string][]File
	evidence   *evidenceOf
}

// Read opens the newest generation as of a day; 0 for everything received so far. Close it.
func (l *Lake) Read(ctx context.Context, asOf calendar.Day) (*Snapshot, error) {
	g, err := l.Generation(ctx)
	if err != nil {
		return nil, err
	}
	files, err := l.files(ctx, g, asOf)
	if err != nil {
		return nil, err
	}
	db, err := columnar.Open(l.cfg)
	if err != nil {
		return nil, err
	}
	return &Snapshot{DB: db, Generation: g, AsOf: asOf, dir: l.dir, files: files, evidence: &evidenceOf{}}, nil
}

// Until is the same view of what had been received by a day.
func (s *Snapshot) Until(day calendar.Day) *Snapshot {
	out := *s
	out.files = map[string][]File{}
	for table, files := range s.files {
		for _, f := range files {
			if f.Received <= day {
				out.files[table] = append(out.files[table], f)
			}
		}
	}
	return &out
}

// Covering is the same view with only those deliveries of a table that cover one of the months, yyyymm, with what corrects them: enough to know the
// rows of these months.
func (s *Snapshot) Covering(table string, months []string) *Snapshot {
	out := *s
	out.files = maps.Clone(s.files)
	out.files[table] = nil
	for _, g := range grouped(s.files[table]) {
		if slices.ContainsFunc(covered(g), func(m string) bool { return slices.Contains(months, m) }) {
			out.files[table] = append(out.files[table], g...)
		}
	}
	return &out
}

// Overtaken reports whether a later delivery than the one that stands at a place has a month of the table, yyyymm; "" asks of the table as a whole.
func (s *Snapshot) Overtaken(table string, stands calendar.Day, seq int64, month string) bool {
	return slices.ContainsFunc(s.files[table], func(f File) bool {
		later := cmp.Or(cmp.Compare(f.Stands, stands), cmp.Compare(f.StandsSeq, seq)) > 0
		return later && (month == "" || slices.Contains(strings.Fields(f.Meta), month))
	})
}

// Files lists a table's files in the order in which they stand, oldest first.
func (s *Snapshot) Files(table string) []File { return s.files[table] }

// LastReceived is the day of a table's newest delivery and the day that it describes; 0 when there is none.
func (s *Snapshot) LastReceived(table string) (received, cutoff calendar.Day) {
	for _, f := range s.files[table] {
		received, cutoff = max(received, f.Received), max(cutoff, f.Cutoff)
	}
	return received, cutoff
}

// Ways says how the deliveries of a table add up.
type Ways struct {
	Mode    string   // append, upsert, replace_month, replace_all
	Key     []string // columns
	Month   string   // replace_month: the column with the month
	Columns []Column // what a reader expects; one that no file has is NULL, for a register may gain a column
}

// Column is a column of a table with its type in SQL.
type Column = struct{ Name, Type string }

// Source is SQL for the current rows of a delivered table, to stand after FROM; false when nothing has been received.
//
// upsert: the newest row of a key. replace_month: for each month the rows of the newest delivery that covers it. replace_all: the newest
// delivery. To a delivery belong the rows that correct it, of a key the newest. A file's Meta lists the months that it covers, as yyyymm
// separated by blanks.
func (s *Snapshot) Source(table string, w Ways) (string, bool) {
	files := s.files[table]
	if len(files) == 0 {
		return "", false
	}
	switch w.Mode {
	case "upsert":
		return s.newestOfKey(files, w), true
	case "replace_all":
		groups := grouped(files)
		return s.newestOfKey(groups[len(groups)-1], w), true
	case "replace_month":
		return s.months(files, w), true
	}
	return s.added(files, w), true
}

// added is SQL for the rows of deliveries that are only ever added. What corrects a delivery stands for its row of the same key. A delivery that came
// late may have rows that a later one had added already: the same row counts once.
func (s *Snapshot) added(files []File, w Ways) string {
	all := s.addedUp(files, w)
	if place := newest(files); place != "seq" {
		return "(SELECT * FROM " + all + " QUALIFY row_number() OVER (PARTITION BY row_hash ORDER BY " + place + ") = 1)"
	}
	return all
}

func (s *Snapshot) addedUp(files []File, w Ways) string {
	var plain []File
	var parts []string
	for _, g := range grouped(files) {
		if len(g) == 1 {
			plain = append(plain, g...)
			continue
		}
		parts = append(parts, "SELECT * FROM "+s.newestOfKey(g, w))
	}
	if parts == nil {
		return s.with(plain, w.Columns)
	}
	if plain != nil {
		parts = append(parts, "SELECT * FROM "+s.with(plain, w.Columns))
	}
	return "(" + strings.Join(parts, " UNION ALL BY NAME ") + ")"
}

// newestOfKey is SQL for the newest row of each key in some files.
func (s *Snapshot) newestOfKey(files []File, w Ways) string {
	all := s.with(files, w.Columns)
	if len(files) == 1 {
		return all // one delivery names a key once
	}
	return fmt.Sprintf("(SELECT * FROM %s QUALIFY row_number() OVER (PARTITION BY %s ORDER BY %s DESC) = 1)", all, columnar.Quote(w.Key...), newest(files))
}

// newest is SQL for the place of a row's delivery among a table's. A delivery that came late has a higher number than its place.
func newest(files []File) string {
	if slices.IsSortedFunc(files, func(a, b File) int { return cmp.Compare(a.Seq, b.Seq) }) {
		return "seq"
	}
	seqs := make([]string, len(files))
	for i, f := range files {
		seqs[i] = strconv.FormatInt(f.Seq, 10)
	}
	return "list_position([" + strings.Join(seqs, ", ") + "], seq)"
}

// grouped parts files into deliveries, each with what corrects it.
func grouped(files []File) (out [][]File) {
	for i, f := range files {
		if i == 0 || f.Stands != files[i-1].Stands || f.StandsSeq != files[i-1].StandsSeq {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], f)
	}
	return out
}

// covered lists the months of a delivery with what corrects it.
func covered(files []File) (out []string) {
	for _, f := range files {
		out = append(out, strings.Fields(f.Meta)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *Snapshot) months(files []File, w Ways) string {
	newest := map[string]int{}
	groups := grouped(files)
	for i, g := range groups {
		for _, m := range covered(g) {
			newest[m] = i
		}
	}
	var whole []File
	var parts []string
	for i, g := range groups {
		var mine []string
		all := covered(g)
		for _, m := range all {
			if newest[m] == i {
				mine = append(mine, "DATE '"+m[:4]+"-"+m[4:]+"-01'")
			}
		}
		switch {
		case len(mine) == 0:
		case len(mine) == len(all) && len(g) == 1:
			whole = append(whole, g...)
		default:
			parts = append(parts, fmt.Sprintf("SELECT * FROM %s WHERE %s IN (%s)", s.newestOfKey(g, w), columnar.Quote(w.Month), strings.Join(mine, ", ")))
		}
	}
	if len(whole) > 0 {
		parts = append(parts, "SELECT * FROM "+s.with(whole, w.Columns))
	}
	return "(" + strings.Join(parts, " UNION ALL BY NAME ") + ")"
}

// with is SQL for all rows of files, with the columns that none of them has.
func (s *Snapshot) with(files []File, columns []Column) string {
	have := map[string]bool{}
	for _, f := range files {
		if len(f.columns) == 0 {
			return s.scan(files)
		}
		for _, c := range f.columns {
			have[c] = true
		}
	}
	var lacks []string
	for _, c := range columns {
		if !have[c.Name] {
			lacks = append(lacks, "CAST(NULL AS "+c.Type+") AS "+columnar.Quote(c.Name))
		}
	}
	if lacks == nil {
		return s.scan(files)
	}
	return "(SELECT *, " + strings.Join(lacks, ", ") + " FROM " + s.scan(files) + ")"
}

// Identity is SQL for the table holder → person as it was known, to stand after FROM: one row a holder; false when nobody is known. A holder of
// whom nobody has said that he is also another one is a person of his own.
func (s *Snapshot) Identity() (string, bool) {
	files := s.files[IdentityTable]
	if len(files) == 0 {
		return "", false
	}
	now := s.with(files, []Column{{"subject", "BOOLEAN"}})
	changes, changed := s.Scan(IdentityChanges)
	if s.AsOf == 0 || !changed {
		return now, true
	}
	day := s.AsOf.String()
	return fmt.Sprintf(`(SELECT i.* REPLACE (coalesce(c.person, i.holder) AS person) FROM %s i
LEFT JOIN (SELECT holder, arg_max(person, (known, n)) AS person FROM %s WHERE known <= DATE '%s' GROUP BY holder) c USING (holder))`, now, changes, day), true
}

// The tables that say who is who. identity: one row a holder; holder, person, and subject, whether a row of a register is about him (rather than only
// names him; not known in files that are older than this). identity_change: one row a holder and change; holder, person, known (the day received), n (their order).
const (
	IdentityTable   = "identity"
	IdentityChanges = "identity_change"
)

// Scan is SQL for all rows of a derived table, to stand after FROM; false when it has no file.
func (s *Snapshot) Scan(table string) (string, bool) {
	if len(s.files[table]) == 0 {
		return "", false
	}
	return s.scan(s.files[table]), true
}

func (s *Snapshot) scan(files []File) string {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = literal(filepath.Join(s.dir, f.Path))
	}
	return "read_parquet([" + strings.Join(paths, ", ") + "], union_by_name=true)"
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Writer makes the next generation. Nothing of it is seen before Commit.
type Writer struct {
	*Snapshot // what the writer starts from
	lake      *Lake
	token     int64
	next      int64
	note      string
	added     []File
	dropped   []string // paths
	stop      context.CancelFunc
	beats     sync.WaitGroup
	finished  bool
}

// A lease is renewed three times in its time; the next writer waits for one that was killed no longer than that.
const (
	leaseTime = 10 * time.Second
	patience  = time.Minute
)

// Write takes the lease and starts a generation. It waits for another writer for up to a minute.
//
// Errors: Conflict "lake.busy" when the other one is still at it.
func (l *Lake) Write(ctx context.Context, note string) (*Writer, error) {
	token, err := l.lease(ctx)
	if err != nil {
		return nil, err
	}
	w := &Writer{lake: l, token: token, note: note}
	if w.Snapshot, err = l.Read(ctx, 0); err != nil {
		l.release(context.WithoutCancel(ctx), token)
		return nil, err
	}
	w.next = w.Generation + 1
	var beat context.Context
	beat, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	w.beats.Go(func() { l.renew(beat, token) })
	if err := l.sweep(ctx); err != nil {
		return nil, errors.Join(err, w.Abort(ctx))
	}
	return w, nil
}

func (l *Lake) lease(ctx context.Context) (token int64, err error) {
	give := l.now().Add(patience)
	for {
		now := l.now()
		err = l.db.Tx(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `UPDATE lake_lease SET token = token + 1, expiry = $1 WHERE name = 'writer' AND expiry < $2 RETURNING token`,
				store.Micros(now.Add(leaseTime)), store.Micros(now)).Scan(&token)
		})
		if !errors.Is(err, sql.ErrNoRows) && fault.KindOf(err) != fault.Conflict { // a long commit keeps everybody else from writing
			return token, fault.Wrap("lake.lease", err)
		}
		if now.After(give) {
			return 0, fault.New("lake.lease", fault.Conflict, "lake.busy")
		}
		select {
		case <-ctx.Done():
			return 0, fault.Wrap("lake.lease", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (l *Lake) renew(ctx context.Context, token int64) {
	tick := time.NewTicker(leaseTime / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C: // a renewal that fails is found out at Commit, by the token
			_, _ = l.db.ExecContext(ctx, `UPDATE lake_lease SET expiry = $1 WHERE name = 'writer' AND token = $2`, store.Micros(l.now().Add(leaseTime)), token)
		}
	}
}

func (l *Lake) release(ctx context.Context, token int64) error {
	_, err := l.db.ExecContext(ctx, `UPDATE lake_lease SET expiry = 0 WHERE name = 'writer' AND token = $1`, token)
	return fault.Wrap("lake.release", err)
}

// sweep removes the files of writes that did not finish: no manifest row knows them, and the lease says that nobody is writing them.
func (l *Lake) sweep(ctx context.Context) error {
	rows, err := l.db.QueryContext(ctx, `SELECT path FROM lake_file`)
	if err != nil {
		return fault.Wrap("lake.sweep", err)
	}
	defer rows.Close()
	known := map[string]bool{}
	for rows.Next() {
		var p string
		if err := rows.Scan(&p); err != nil {
			return fault.Wrap("lake.sweep", err)
		}
		known[filepath.FromSlash(p)] = true
	}
	if err := rows.Err(); err != nil {
		return fault.Wrap("lake.sweep", err)
	}
	return fault.Wrap("lake.sweep", filepath.WalkDir(l.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(l.dir, name)
		if err == nil && !known[rel] {
			err = os.Remove(name)
		}
		return err
	}))
}

// Parquet writes the rows of a query as a file of f.Table and adds it to the generation; f's rows and path are filled in. A query without
// rows writes nothing. The path carries the writer's token, so that no other writer, before or after, has the same.
func (w *Writer) Parquet(ctx context.Context, conn *sql.Conn, f File, query string) (_ File, err error) {
	f.Path = w.path(f.Table, "parquet")
	full := filepath.Join(w.lake.dir, f.Path)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return f, fault.Wrap("lake.Parquet", err)
	}
	defer func() {
		if err != nil { // half a file on a full disk is in the way of whoever makes room
			_ = os.Remove(full)
		}
	}()
	res, err := conn.ExecContext(ctx, fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)", query, literal(full)))
	if err != nil {
		return f, fault.Wrap("lake.Parquet", err)
	}
	if f.Rows, err = res.RowsAffected(); err != nil || f.Rows == 0 {
		return f, errors.Join(fault.Wrap("lake.Parquet", err), os.Remove(full))
	}
	if f.Stands == 0 {
		f.Stands, f.StandsSeq = f.Received, f.Seq
	}
	if f.columns, err = names(ctx, conn, full); err != nil {
		return f, err
	}
	return f, w.add(f)
}

// path names the next file of a table.
func (w *Writer) path(table, kind string) string {
	return filepath.ToSlash(filepath.Join(table, fmt.Sprintf("%06d-%03d.%s", w.token, len(w.added), kind)))
}

// add takes a file that was written whole into the generation, when the disk has it and its name.
func (w *Writer) add(f File) error {
	full := filepath.Join(w.lake.dir, f.Path)
	if err := errors.Join(syncPath(full), syncPath(filepath.Dir(full))); err != nil {
		return err
	}
	w.added = append(w.added, f)
	return nil
}

// names lists the columns of a Parquet file.
func names(ctx context.Context, conn *sql.Conn, path string) ([]string, error) {
	var all string
	err := columnar.Row(ctx, conn, "SELECT string_agg(name, ' ') FROM parquet_schema("+literal(path)+") WHERE num_children IS NULL", &all)
	return strings.Fields(all), err
}

// Replace drops the present files of a table from the generation; what Parquet adds stands in their place.
func (w *Writer) Replace(table string) {
	for _, f := range w.files[table] {
		w.dropped = append(w.dropped, f.Path)
	}
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fault.Wrap("lake.sync", err)
	}
	return fault.Wrap("lake.sync", errors.Join(f.Sync(), f.Close()))
}

// Commit publishes the generation; also runs in the same transaction, for what must be true together with it. Like every function of a
// transaction it may run more than once.
//
// Errors: Stale "lake.lost" when another writer took the lease meanwhile; nothing is published then.
func (w *Writer) Commit(ctx context.Context, also func(*sql.Tx) error) error {
	err := w.lake.db.Tx(ctx, func(tx *sql.Tx) error {
		var token int64
		// Written and not only read, so that nobody takes the lease between here and the end of the transaction.
		if err := tx.QueryRowContext(ctx, `UPDATE lake_lease SET token = token WHERE name = 'writer' RETURNING token`).Scan(&token); err != nil {
			return fault.Wrap("lake.Commit", err)
		}
		if token != w.token {
			return fault.New("lake.Commit", fault.Stale, "lake.lost")
		}
		if len(w.added)+len(w.dropped) > 0 {
			if err := w.publish(ctx, tx); err != nil {
				return err
			}
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	w.finished = true
	_ = w.Abort(ctx) // published it is: a lease that a full disk keeps ends by itself, and what lies in the folder for temporary files is swept
	return nil
}

func (w *Writer) publish(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO lake_generation (id, at, note) VALUES ($1, $2, $3)`, w.next, store.Micros(w.lake.now()), w.note); err != nil {
		return fault.Wrap("lake.Commit", err)
	}
	for _, p := range w.dropped {
		if _, err := tx.ExecContext(ctx, `UPDATE lake_file SET dropped = $1 WHERE path = $2 AND dropped IS NULL`, w.next, p); err != nil {
			return fault.Wrap("lake.Commit", err)
		}
	}
	for _, f := range w.added {
		info, err := os.Stat(filepath.Join(w.lake.dir, f.Path))
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO lake_file (path, tbl, row_count, bytes, received, cutoff, seq, meta, stands, stands_seq, columns, added)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
				f.Path, f.Table, f.Rows, info.Size(), f.Received, f.Cutoff, f.Seq, f.Meta, f.Stands, f.StandsSeq, strings.Join(f.columns, " "), w.next)
		}
		if err != nil {
			return fault.Wrap("lake.Commit", err)
		}
	}
	return nil
}

// Abort gives the lease back and removes what was not published. After Commit it only closes.
func (w *Writer) Abort(ctx context.Context) error {
	if w.stop == nil {
		return nil
	}
	w.stop()
	w.beats.Wait()
	w.stop = nil
	errs := []error{w.Close()}
	if !w.finished {
		for _, f := range w.added {
			errs = append(errs, os.Remove(filepath.Join(w.lake.dir, f.Path)))
		}
	}
	return errors.Join(append(errs, w.lake.release(context.WithoutCancel(ctx), w.token))...)
}

// Written is SQL for the rows of a file that the writer has written and not yet published, to stand after FROM.
func (w *Writer) Written(f File) string { return w.scan([]File{f}) }
