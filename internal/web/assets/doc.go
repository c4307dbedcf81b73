// Package assets carries what the pages load into the binary: the stylesheet and the script.
//
// The stylesheet is written by hand in style.css and embedded as it is. The script is bundled from web/ (our few lines and
// htmx, at the versions of its lock file) into dist/bole.js by `make assets`; dist is not committed. On a fresh clone it is
// empty, and the placeholder stands in for the script: everything builds and every page works, since the script only
// saves reloading and adds keys. The server says at its start when the script was not built.
package assets
