// Package web is the pages: what the last run found, policy by policy, and one pseudonymous person explained.
//
// Pages are written on the server from the book of findings and the pack; they hold no name, ID number or account, only numbers such as
// P-7K2M-90C. Everything works without a script; htmx only replaces a part where a link would fetch the whole. Every address is in one
// table (routes), every template in templates/ (parts of pages begin with _), every sentence in package locale, in Chinese and English.
//
// A page handler answers a leaf: which template and what it shows. The layout around it (the day of the run, the mark of synthetic data, the
// other language) is the same for all. Errors become pages by their kind; what a person reads is the sentence of the error's key.
//
// Numbers keep their units: certificates are never added to persons, nor an amount paid once to an amount a month. Nothing here reads the clock:
// the day on a page is the day of the run.
package web
