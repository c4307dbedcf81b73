// Package law reads the text of an instrument beside its rules.
//
// A policy's law file is Markdown: a title, a paragraph on the source and the day it was read, and then one heading for each
// article that the policy cites, in our own restatement. A heading has its English after a bar and ends with its anchor in braces, "## 第三条 | Article 3 {#art-3}", and
// every "by" in the policy is such an anchor. A paragraph that begins with "> en:" is the same article in English.
package law
