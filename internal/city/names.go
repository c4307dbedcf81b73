package city

import "strings"

// surnames are frequent ones of China with rough weights, and some that are seldom met outside Shandong.
var surnames = weighted("王 952 李 934 张 896 刘 677 陈 613 杨 427 黄 200 吴 268 赵 267 周 252 徐 193 孙 283 马 172 朱 170 胡 155 林 110 郭 150 何 140 高 133 " +
	"罗 60 郑 124 梁 70 谢 70 宋 93 唐 60 许 88 邓 40 冯 82 韩 81 曹 79 曾 40 彭 50 肖 74 蔡 50 潘 60 田 68 董 67 袁 66 于 104 余 40 蒋 50 叶 30 杜 63 苏 61 魏 60 " +
	"程 60 吕 59 丁 57 沈 40 任 54 姚 53 卢 53 姜 52 崔 50 谭 40 范 48 汪 30 陆 30 金 46 石 45 贾 43 夏 42 侯 40 孟 38 逯 3 亓 3 岳 12 谷 8 邢 14 路 8")

var (
	maleGiven = strings.Fields("伟 强 磊 军 洋 勇 杰 涛 超 明 刚 平 辉 鹏 华 飞 鑫 波 斌 宇 浩 凯 健 俊 帆 帅 旭 宁 龙 林 建 国 志 海 东 文 成 庆 新 永 春 学 " +
		"立 振 家 忠 士 金 玉 晓 子 泽 轩 博 昊 天 佳 一 传 德 光 洪 洛 祥 瑞 岩")
	femaleGiven = strings.Fields("芳 娜 敏 静 丽 艳 娟 霞 燕 玲 婷 雪 慧 莹 倩 颖 琳 晶 洁 梅 红 兰 英 云 萍 凤 秀 桂 玉 淑 文 晓 佳 欣 怡 雨 思 梦 诗 涵 " +
		"悦 雯 璐 瑶 妍 菲 蕾 薇 春 秋 月 爱 美 立 新 建 海 庆 金 子 一 可 彤 冉 宁 媛")
	// rareGiven stand in names and not in every character set; the last is outside GBK.
	rareGiven = strings.Fields("喆 垚 玥 犇 甡 翀 赟 翾 䶮")
)

type surname struct {
	text string
	upTo int
}

func weighted(list string) (names []surname) {
	fields, sum := strings.Fields(list), 0
	for i := 0; i < len(fields); i += 2 {
		n := 0
		for _, r := range fields[i+1] {
			n = n*10 + int(r-'0')
		}
		sum += n
		names = append(names, surname{fields[i], sum})
	}
	return names
}

// nameIn draws a name: one given character in seven names, two in the others.
func nameIn(d dice, female bool) string {
	given := maleGiven
	if female {
		given = femaleGiven
	}
	n := d.IntN(surnames[len(surnames)-1].upTo)
	at := 0
	for n >= surnames[at].upTo {
		at++
	}
	name := surnames[at].text + given[d.IntN(len(given))]
	switch {
	case d.in(3):
		return name + rareGiven[d.IntN(len(rareGiven))]
	case d.in(855):
		return name + given[d.IntN(len(given))]
	}
	return name
}
