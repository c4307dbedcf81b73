package city

// body is a handling body: eight counties and three functional zones. The zones have no division code of their own; what is
// registered there carries that of 东昌府区.
type body struct{ name, division string }

const (
	dongchangfu, chiping, yanggu, shenxian, dongE, guanxian, gaotang, linqing, etdz, htz, resort = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)

var bodies = [...]body{
	{"东昌府区", "371502"}, {"茌平区", "371503"}, {"阳谷县", "371521"}, {"莘县", "371522"}, {"东阿县", "371524"}, {"冠县", "371525"},
	{"高唐县", "371526"}, {"临清市", "371581"}, {"经济技术开发区", "371502"}, {"高新技术产业开发区", "371502"}, {"江北水城旅游度假区", "371502"},
}

var everywhere = []int{dongchangfu, dongchangfu, chiping, yanggu, shenxian, dongE, guanxian, gaotang, linqing, linqing, etdz, htz, resort}

// trade is what an employer does: its word in names, class in GB/T 4754-2017, chain, where it sits (a body stands as often as it
// weighs), how frequent it is among its kind, and the occupations (CSCO 2022) that its people hold certificates in.
type trade struct {
	word, industry, chain string
	bodies                []int
	weight                int
	occupations           []string
	dispatch              bool
}

const (
	bearings, autos, textiles, chemicals, pharma = "轴承", "汽车及零部件", "轻工纺织", "化工", "生物医药"
	newEnergy, health, education, services       = "新能源", "医疗卫生", "教育", "服务业及其他"
)

// Occupations of CSCO 2022, by what they are.
const (
	turner, miller, grinder, cnc       = "6-18-01-01", "6-18-01-02", "6-18-01-04", "6-18-01-07"
	heatTreater, welder, toolFitter    = "6-18-02-03", "6-18-02-04", "6-18-04-06"
	fitter, repairFitter, electrician  = "6-20-01-01", "6-31-01-02", "6-31-01-03"
	carAssembler, carLine, carRepairer = "6-22-02-01", "6-22-01-01", "4-12-01-01"
	spinner, carder, dyer              = "6-04-02-01", "6-04-01-03", "6-04-06-02"
	chemUnit, chemControl, chemTester  = "6-11-01-02", "6-11-01-03", "6-31-03-01"
	drugMaker, herbMaker, drugTester   = "6-12-03-00", "6-12-02-00", "4-08-05-04"
	batteryMaker, logistician, cook    = "6-24-04-00", "4-02-06-03", "4-03-02-01"
	carer, nurseryCarer, nurseAid      = "4-10-01-05", "4-10-01-03", "4-14-01-02"
)

var (
	machining = []string{turner, turner, grinder, grinder, cnc, miller, heatTreater, toolFitter, fitter, repairFitter, electrician}
	cars      = []string{carAssembler, carAssembler, carLine, welder, cnc, fitter, electrician}
	cloth     = []string{spinner, spinner, carder, dyer, repairFitter, electrician}
	chemistry = []string{chemUnit, chemControl, chemControl, chemTester, repairFitter, electrician}
	medicine  = []string{drugMaker, drugMaker, herbMaker, drugTester, chemTester, electrician}
	power     = []string{batteryMaker, batteryMaker, electrician, electrician, fitter, welder}
	trading   = []string{logistician, logistician, electrician, cook, carer}
	care      = []string{nurseAid, carer, nurseryCarer, electrician}
)

// largeTrades are those that a large employer may have.
var largeTrades = []string{"轴承", "轴承套圈锻造", "汽车部件", "新能源汽车", "纺纱", "化学材料", "制药", "中成药", "电池", "铝板带", "建筑", "医院"}

// trades are the trades of each kind of employer.
var trades = [...][]trade{
	enterprise: {
		{"轴承", "3451", bearings, []int{linqing, linqing, linqing, dongchangfu, yanggu}, 90, machining, false},
		{"轴承保持器", "3451", bearings, []int{dongchangfu, dongchangfu, etdz}, 45, machining, false},
		{"滚动体", "3451", bearings, []int{dongE}, 25, machining, false},
		{"轴承套圈锻造", "3393", bearings, []int{guanxian, guanxian, linqing}, 40, machining, false},
		{"汽车部件", "3670", autos, []int{etdz, gaotang, chiping, dongchangfu}, 70, cars, false},
		{"专用汽车", "3630", autos, []int{etdz, yanggu}, 12, cars, false},
		{"新能源汽车", "3612", autos, []int{etdz}, 6, cars, false},
		{"纺纱", "1711", textiles, []int{linqing, gaotang, guanxian, shenxian}, 65, cloth, false},
		{"印染", "1713", textiles, []int{linqing, dongchangfu}, 15, cloth, false},
		{"家用纺织品", "1771", textiles, []int{dongchangfu, guanxian}, 30, cloth, false},
		{"化学材料", "2614", chemicals, []int{shenxian, dongE, yanggu, chiping}, 35, chemistry, false},
		{"高分子材料", "2651", chemicals, []int{etdz, chiping}, 25, chemistry, false},
		{"制药", "2720", pharma, []int{htz, htz, dongE, gaotang}, 25, medicine, false},
		{"原料药", "2710", pharma, []int{gaotang, shenxian}, 12, medicine, false},
		{"中成药", "2740", pharma, []int{dongE, dongE, htz}, 15, medicine, false},
		{"中药饮片", "2730", pharma, []int{shenxian, dongE}, 10, medicine, false},
		{"电池", "3841", newEnergy, []int{htz, etdz}, 20, power, false},
		{"光伏设备", "3825", newEnergy, []int{etdz, guanxian}, 12, power, false},
		{"风力发电", "4415", newEnergy, []int{gaotang, guanxian, shenxian}, 6, power, false},
		{"机械零部件", "3484", services, everywhere, 55, machining, false},
		{"铝板带", "3252", services, []int{chiping, chiping, etdz}, 20, machining, false},
		{"金属结构", "3311", services, everywhere, 25, []string{welder, welder, fitter, electrician}, false},
		{"蔬菜食品", "1371", services, []int{shenxian, guanxian, yanggu}, 35, trading, false},
		{"建筑", "4710", services, everywhere, 65, []string{electrician, electrician, welder}, false},
		{"物流", "5431", services, everywhere, 50, trading, false},
		{"百货", "5211", services, everywhere, 60, trading, false},
		{"餐饮", "6210", services, everywhere, 25, []string{cook}, false},
		{"软件", "6513", services, []int{htz, etdz, dongchangfu}, 30, []string{electrician, chemTester}, false},
		{"物业", "7020", services, everywhere, 30, []string{electrician}, false},
		{"养老服务", "8514", services, everywhere, 15, care, false},
		{"劳务派遣", "7263", services, []int{dongchangfu, dongchangfu, etdz, linqing, chiping}, 47, trading, true},
	},
	institution: {
		{"医院", "8411", health, everywhere, 20, care, false},
		{"卫生院", "8423", health, everywhere, 20, care, false},
		{"小学", "8321", education, everywhere, 25, care, false},
		{"中学", "8331", education, everywhere, 20, care, false},
		{"高级中学", "8334", education, everywhere, 8, care, false},
		{"职业学校", "8336", education, everywhere, 7, machining, false},
	},
	government: {
		{"综合事务局", "9221", services, everywhere, 40, trading, false},
		{"社会事务局", "9224", services, everywhere, 60, trading, false},
	},
	socialBody: {
		{"幼儿园", "8310", education, everywhere, 50, care, false},
		{"职业培训学校", "8391", education, everywhere, 20, machining, false},
		{"中医医院", "8412", health, everywhere, 15, care, false},
		{"行业协会", "9522", services, everywhere, 15, trading, false},
	},
	soleTrader: {
		{"五金经营部", "5281", services, everywhere, 40, trading, false},
		{"餐馆", "6210", services, everywhere, 35, []string{cook}, false},
		{"汽车修理部", "8111", autos, everywhere, 25, []string{carRepairer}, false},
	},
}
