package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bole/internal/cli"
	"bole/internal/store/storetest"
)

// A home whose office is a PostgreSQL database holds no database of its own and does all that another does.
func TestAHomeOnPostgreSQL(t *testing.T) {
	dsn := storetest.Postgres(t)
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	run := func(args ...string) string {
		t.Helper()
		var out, said bytes.Buffer
		if code := cli.Run(append([]string{"--home", home, "--lang", "en"}, args...), &out, &said); code != 0 {
			t.Fatalf("bole %s: %d\n%s", strings.Join(args, " "), code, said.String())
		}
		return out.String()
	}
	file := filepath.Join(dir, "people.csv")
	text := "公民身份号码,姓名,性别,出生日期,联系电话,户籍地行政区划,户籍迁入日期\n" + citizen(0) + ",王甲,男,1990-01-01,10012345678,371502,2020-01-01\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run("init", "--office", dsn)
	if out := run("register", "load", "people", file, "--received", "2024-12-02", "--json"); !strings.Contains(out, `"accepted": 1`) {
		t.Errorf("load: %s", out)
	}
	if out := run("screen", "--on", "2024-12-20", "--json"); !strings.Contains(out, `"policies"`) {
		t.Errorf("screen: %s", out)
	}
	if out := run("keys", "rotate", "--json"); !strings.Contains(out, `"resealed": 1`) {
		t.Errorf("rotate: %s", out)
	}
	if out := run("audit", "verify", "--json"); !strings.Contains(out, `"ok": true`) || !strings.Contains(out, `"records": 8`) {
		t.Errorf("verify: %s", out)
	}
	if _, err := os.Stat(filepath.Join(home, "office.db")); err == nil {
		t.Error("the home has a SQLite file beside")
	}
}
