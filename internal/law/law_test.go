package law

import "testing"

func TestParse(t *testing.T) {
	text := Parse("# 某办法\n\n来源：某公报\nread: 2026-11-23\n\n## 第三条 | Article 3 {#art-3}\n\n须参保满12个月。\n\n> en: Insured for 12 months.\n\n## 第五条 {#art-5}\n\n12个月内提出。\n")
	if text.Title != "某办法" || text.ReadOn != 20261123 || len(text.Articles) != 2 {
		t.Fatalf("got %+v", text)
	}
	a, ok := text.Find("art-3")
	if !ok || a.Heading != "第三条" || a.HeadingIn("en") != "Article 3" || a.Zh != "须参保满12个月。" || a.En != "Insured for 12 months." || a.Line != 6 {
		t.Errorf("got %+v", a)
	}
	if _, ok := text.Find("art-4"); ok {
		t.Error("found an article that is not there")
	}
}
