package assets

import (
	"bytes"
	"os"
	"testing"
)

func TestStyleIsTheFileAsWritten(t *testing.T) {
	want, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	if got := Style(); len(got) == 0 || !bytes.Equal(got, want) {
		t.Errorf("Style has %d bytes, style.css has %d", len(got), len(want))
	}
}

// The same test holds on a fresh clone, where the script is the placeholder, and after make assets.
func TestScriptIsTheBundleOrSaysHowToBuildIt(t *testing.T) {
	js, built := Script()
	bundle, err := os.ReadFile("dist/bole.js")
	if built != (err == nil) {
		t.Fatalf("built is %v, and reading dist/bole.js says %v", built, err)
	}
	if built && (!bytes.Equal(js, bundle) || !bytes.Contains(js, []byte("htmx"))) {
		t.Errorf("Script has %d bytes, dist/bole.js has %d and holds htmx", len(js), len(bundle))
	}
	if !built && !bytes.Contains(js, []byte("make assets")) {
		t.Errorf("the placeholder does not say what to run: %s", js)
	}
}
