// The script of the pages. Every page works without it: htmx replaces a part where a link would fetch the whole.
import htmx from "htmx.org";
import { searchKey } from "./search.js";

// Nothing of a page is kept in the browser's storage: pages show personal data.
htmx.config.historyCacheSize = 0;
// Our pages come with a content security policy: no code out of attributes, no style element of htmx's own.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

document.addEventListener("keydown", (event) => searchKey(event, document));
