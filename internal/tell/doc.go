// Package tell puts what was found into sentences, in Chinese and in English: what a clerk reads aloud and what the person's page shows.
//
// Verdict is the outcome in one sentence with notes; Rule is one condition: the article, what was seen and which register says so as of which day, what the
// law asks for, what is missing and who would know, and from which day on it would hold. Lines is all of it in order.
//
// Sentences are the catalogue's (package locale, keys tell.…) and words are the pack's. Nothing is looked up and nothing is worked out here that is not in the
// explanation, so that the same explanation always reads the same.
package tell
