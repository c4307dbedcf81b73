package web

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/city"
	"bole/internal/columnar"
	"bole/internal/fact"
	"bole/internal/files"
	"bole/internal/finding"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/vault"
	"bole/packs"
)

const today calendar.Day = 20241220

// town is a small city, loaded and screened: the pages of the tests are over it.
type town struct {
	book *finding.Book
	run  finding.Run
	site http.Handler
	bare *finding.Book // the same registers, never screened
}

var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "bole-web-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// founded founds the town once for all tests, in a folder that TestMain removes.
var founded = sync.OnceValues(func() (*town, error) { return found(context.Background(), folder) })

func theTown(t *testing.T) *town {
	t.Helper()
	it, err := founded()
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func found(ctx context.Context, dir string) (*town, error) {
	p, err := shipped()
	if err != nil {
		return nil, err
	}
	if err := seal.Create(filepath.Join(dir, "keys"), "aes"); err != nil {
		return nil, err
	}
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, err
	}
	open := func(name string) (*store.DB, *lake.Lake, error) {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, nil, err
		}
		db, err := store.Open(ctx, filepath.Join(dir, name, "office.db"))
		if err != nil {
			return nil, nil, err
		}
		l, err := lake.Open(filepath.Join(dir, name, "lake"), db, columnar.Config{TempDir: filepath.Join(dir, name, "tmp"), Threads: 2}, time.Now)
		return db, l, err
	}
	db, l, err := open("home")
	if err != nil {
		return nil, err
	}
	desk := &register.Desk{Pack: p, Store: db, Lake: l, Vault: vault.Open(db, keys), Files: files.Open(filepath.Join(dir, "files"), keys)}
	deliveries, err := city.Write(ctx, p, filepath.Join(dir, "deliveries"), city.Options{People: 900, Seed: 7, Until: 202412})
	if err != nil {
		return nil, err
	}
	for _, f := range deliveries {
		if _, err := desk.Load(ctx, register.Delivery{Register: f.Register, Path: f.Path, Received: f.Received, Cutoff: f.Cutoff, At: time.Now()}); err != nil {
			return nil, err
		}
	}
	if err := fact.Net(ctx, l, p); err != nil {
		return nil, err
	}
	it := &town{book: finding.OpenBook(l, p)}
	if it.run, err = finding.Screen(ctx, l, p, finding.Request{On: today}); err != nil {
		return nil, err
	}
	_, empty, err := open("bare")
	if err != nil {
		return nil, err
	}
	it.bare = finding.OpenBook(empty, p)
	it.site = New(it.book, Options{Synthetic: true})
	return it, nil
}

func shipped() (*pack.Pack, error) {
	sub, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		return nil, err
	}
	return pack.Load(sub, packs.Files)
}

// someone is a person in a list of the town, with the subject row.
func (it *town) someone(t *testing.T, policy string, fl finding.Filter) (person, subject string) {
	t.Helper()
	fl.Limit = 1
	items, _, err := it.book.List(t.Context(), policy, fl)
	if err != nil || len(items) == 0 {
		t.Fatalf("nobody in %s %+v: %v", policy, fl, err)
	}
	return items[0].Person.String(), items[0].Subject
}

// get asks a handler for an address.
func get(site http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w
}
