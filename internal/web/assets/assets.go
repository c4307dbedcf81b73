package assets

import "embed"

//go:embed style.css placeholder.js all:dist
var files embed.FS

// Style is the stylesheet, UTF-8. The caller may keep and change the slice.
func Style() []byte {
	return read("style.css")
}

// Script is the script of the pages, UTF-8, and whether it was built; when it was not, it is the placeholder, a comment that says
// what to run. The caller may keep and change the slice.
func Script() (js []byte, built bool) {
	if js, err := files.ReadFile("dist/bole.js"); err == nil {
		return js, true
	}
	return read("placeholder.js"), false
}

// read returns a file that the embed directive names; without it the package would not have compiled.
func read(name string) []byte {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return text
}
