// Command bole is the whole program: it takes deliveries, screens people against policies, explains, and serves the pages.
//
// It only hands its arguments to package cli and ends with the code that cli answers: 0 done, 1 the request could not be met,
// 2 wrong usage, 3 done and this call put new rows or cases before a person.
//
// Run "bole help" for the commands, and "bole demo" to see a synthetic city.
package main
