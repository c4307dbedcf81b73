// Package city makes a synthetic city: the files that the owners of the registers would deliver about people and employers that
// do not exist.
//
// Everything in the files is invented: names, ID numbers, phones, employers, certificates, diplomas, contracts and every month of
// insurance. What is taken from the world is public shape and public code: the check digits of GB 11643 and GB 32100, the codes of
// divisions, industries, occupations and schools, common surnames, the layout of certificate and diploma numbers. A phone number
// begins with 100, as no subscriber's does; an employer's organisation code begins with XX, as no registered one does; an
// employer's name is 聊城, two characters that no listed company joins, and its trade.
//
// The ratios are those that the research for this city found or thought plausible: where the bearing trades sit (machining in
// 临清, cages in 东昌府, rolling elements in 东阿, rings in 冠县); one employer in a hundred holds a third of the insured; 28 in a
// hundred people have a degree on record, most of them graduated in July, and none before 2001; 16 in a hundred hold a skill
// certificate, a third of those of the latest year; contributions are posted from the fifth of their month to the twenty-fifth of the
// next, some months later, some never, some are paid back, refunded or transferred in. No outcome is made: nothing here knows a
// policy.
//
// The registers agree. Half of the people are married to another of them, and each of the two has a row; a house has the couple as its buyers; a
// certificate's number tells its level, its year and a body that was filed on the day; who died pays nothing afterwards. Seven in a thousand have
// another number: the one before a correction, or the permit or passport of those who came from outside the mainland; some papers
// stand under it, and some old ones under the 15 digits of before 1999. A permit of the city begins with H9, M9 or 9, a passport with ZZ, a card of a bank
// with 1000, as none does that was given out. What the whole city has a stated number of is scaled: 624 and 40 filed bodies, 49 platforms and some 200
// researchers in station, to a million people; a small city has a few of each all the same.
//
// The files have their owners' habits: one is UTF-8, another GB18030 with bars between its fields or tabs, two are workbooks with a title over the headings, and a day is 2024-12-18, 20241218,
// 2024/12/18 or 2024年12月18日. In few places they have their owners' mistakes. A mistake is always a row more than there should be, so
// that refusing it loses nobody anything, and each is told in File.Faults.
//
// A month's file of contributions tells what the agency knew at the end of the whole story, though it is dated as first delivered:
// a payment collected again months later stands in its month's file with its day. Only what was open at the end of the story is shown as open, and the last month lists only what was paid.
//
// The same options give the same bytes. Each person has two streams of random numbers of their own, drawn from the seed and the
// person's place, so a change to one life leaves the others alone, and a change to the further registers leaves people, degrees, work and
// contributions alone. People are made one at a time and forgotten, but for the 64 of a block, who know each other: memory holds those, the
// employers and one buffer a file.
package city
