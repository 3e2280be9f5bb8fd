"""Hand-written offerings over all categories, and everyday needs with the offering that answers each.

Lines of the catalogue: id | category | kind | division | title | summary
"""

CATALOGUE = """
policy | information_policy.policy_advice | service | 150102 | 惠企政策解读与项目申报辅导 | 梳理自治区和盟市扶持政策，判断企业能申报哪些补助，指导准备专精特新、高新技术企业申报材料。
market-info | information_policy.market_information | service | 150105 | 农畜产品市场行情周报 | 每周发布羊绒、牛羊肉、马铃薯、玉米价格走势和行业报告。
site | information_policy.it_adoption | service | 150203 | 企业网站与小程序开发 | 为小微企业搭建官网、微信小程序和进销存系统，含一年维护。
cloud | information_policy.it_adoption | service | 150104 | 企业上云迁移 | 把财务软件、办公系统迁移到云服务器，提供备份与安全加固。
mes | information_policy.digital_transformation | service | 150203 | 车间数字化改造诊断 | 设备数据采集、MES系统选型、生产看板，制定智能工厂路线图。
iot | information_policy.digital_transformation | service | 150602 | 矿山设备物联网监测 | 在线监测电机温度与振动，预警故障，减少停机。
loan | financing.loan_matching | finance_product | 150102 | 小微流动资金信用贷款 | 最高三百万元，凭纳税和流水授信，随借随还，适合周转困难的企业。
mortgage | financing.loan_matching | finance_product | 150602 | 厂房抵押经营贷款 | 以厂房、土地作抵押，期限三年，用于扩大生产、购买设备。
guarantee | financing.guarantee | finance_product | 150105 | 融资担保 | 为抵押物不足的企业向银行贷款提供担保和再担保，开具投标保函。
micro | financing.microcredit | finance_product | 152201 | 农牧户小额贷款 | 面向个体工商户和农牧户，五万至五十万元，三天放款。
equity | financing.equity | service | 150102 | 股权融资路演对接 | 对接天使投资人和风险投资机构，辅导商业计划书，区域股权市场挂牌。
ipo | financing.listing_bonds | service | 150102 | 上市与新三板辅导 | 股份制改造、北交所上市辅导、发行债券顾问。
subsidy | financing.risk_compensation | service | 150102 | 贷款贴息申领代办 | 协助已获得银行贷款的企业申领财政贴息和风险补偿。
credit | financing.credit_enhancement | service | 150203 | 企业信用修复与评级 | 处理行政处罚信息、失信记录修复，出具信用评级报告。
mentor | entrepreneurship.mentoring | service | 150402 | 创业导师一对一辅导 | 帮助大学生和返乡人员打磨创业计划、选址、算账。
register | entrepreneurship.registration_agency | service | 150105 | 公司注册与证照代办 | 代办营业执照、食品经营许可证、工商变更和注销。
projects | entrepreneurship.project_bank | service | 150502 | 县域创业项目推介 | 收集餐饮、养殖、民宿等加盟创业项目，组织考察。
incubator | entrepreneurship.incubation_space | space | 150602 | 创业孵化园工位与标准厂房 | 提供免租工位、标准厂房、会议室和仓库，可拎包入驻。
boss-class | talent_training.executive_training | training | 150102 | 企业家领导力研修班 | 面向企业负责人，讲授战略、财税和团队管理，三天两晚。
welder | talent_training.skills_training | training | 150203 | 电焊工叉车工上岗证培训 | 特种作业操作证考前培训，实操场地，包考试报名。
safety-class | talent_training.skills_training | training | 150302 | 安全生产管理人员培训 | 化工、煤矿企业主要负责人和安全员持证培训。
college | talent_training.university_cooperation | service | 150123 | 校企合作订单班与实习基地 | 与职业院校共建实训基地，按岗位培养技术工人，输送实习生。
hire | talent_training.recruitment_hr | service | 150402 | 用工招聘与劳务派遣 | 为工厂招聘普工、技工，组织招聘会，代缴社保。
headhunt | talent_training.recruitment_hr | service | 150102 | 中高端人才猎头 | 寻访工程师、厂长、销售总监，设计薪酬方案。
strain | technology_quality.rnd_transfer | technology_achievement | 150105 | 酸奶发酵菌种与工艺转让 | 自主筛选的乳酸菌菌种，改善风味和保质期，提供中试和配方指导。
wool-tech | technology_quality.rnd_transfer | technology_achievement | 150602 | 羊绒分梳提质技术 | 降低羊绒损伤，提高长度，成套工艺与装备技术转让。
potato | technology_quality.rnd_transfer | technology_achievement | 150921 | 马铃薯脱毒种薯快繁技术 | 种薯组培快繁，亩产提高百分之二十，可提供技术攻关合作。
dairy-test | technology_quality.testing | service | 150105 | 生鲜乳与乳制品检测 | 检测牛奶蛋白质、脂肪、菌落总数、抗生素残留，三天出具带CMA章的报告。
meat-test | technology_quality.testing | service | 152502 | 牛羊肉兽药残留检测 | 瘦肉精、兽残、水分、微生物检验，支持冷链送检。
soil-test | technology_quality.testing | service | 150802 | 土壤与农产品农残检测 | 土壤养分、重金属、农药残留检测，服务种植基地。
steel-test | technology_quality.testing | service | 150203 | 金属材料力学与成分测试 | 拉伸、硬度、金相、稀土钢成分分析。
cashmere-test | technology_quality.testing | service | 150602 | 羊绒纤维含量检验 | 鉴别羊绒与羊毛比例、细度、长度，出具检验证书。
coal-test | technology_quality.testing | service | 150622 | 煤质化验 | 煤炭发热量、灰分、硫分、水分分析。
sem | technology_quality.instrument_sharing | instrument | 150203 | 扫描电子显微镜共享 | 按机时开放，观察微观形貌，配能谱分析。
gcms | technology_quality.instrument_sharing | instrument | 150105 | 气相色谱质谱联用仪 | 香气成分与有机物分析，提供前处理，预约使用。
xrd | technology_quality.instrument_sharing | instrument | 150202 | X射线衍射仪 | 稀土、矿物物相分析，送样或自行上机。
trademark | technology_quality.intellectual_property | service | 150102 | 商标注册与异议维权 | 商标查询、注册、续展，被他人抢先注册时提异议、无效宣告。
patent | technology_quality.intellectual_property | service | 150203 | 专利申请与布局 | 发明、实用新型、外观专利撰写申请，专利检索分析。
iso | technology_quality.standards_certification | service | 150105 | ISO9001质量体系认证辅导 | 编写体系文件、内审、迎审，三个月取得证书；可做HACCP。
organic | technology_quality.standards_certification | service | 152221 | 有机与绿色食品认证 | 稻米、杂粮、牛羊肉有机产品认证申报、基地检查。
calibrate | technology_quality.standards_certification | service | 150203 | 计量器具校准检定 | 地磅、压力表、温度计、流量计检定校准。
package | technology_quality.industrial_design | service | 150102 | 食品包装与礼盒设计 | 奶食品、牛肉干、杂粮的包装设计、插画和打样，体现民族特色。
product-design | technology_quality.industrial_design | service | 150203 | 机械产品外观与结构设计 | 三维建模、结构优化、手板打样、出图纸。
eia | technology_quality.energy_environment | service | 150302 | 环评与排污许可办理 | 编制环境影响报告表，申领排污许可证，验收监测。
water | technology_quality.energy_environment | service | 150802 | 工业废水处理改造 | 屠宰、食品加工废水处理工艺设计、运维。
energy | technology_quality.energy_environment | service | 150622 | 节能诊断与光伏改造 | 电费分析、余热利用、屋顶光伏，降低能耗。
diagnosis | management_consulting.diagnosis | service | 150102 | 中小企业管理诊断 | 专家入企查找流程、制度、内控问题，给出改进方案。
bookkeeping | management_consulting.accounting | service | 150105 | 代理记账与纳税申报 | 小规模和一般纳税人代账、开票、汇算清缴、税务筹划。
audit | management_consulting.accounting | service | 150203 | 财务审计 | 年度审计、专项审计、验资报告。
strategy | management_consulting.strategy_organisation | service | 150102 | 家族企业接班与股权激励方案 | 设计组织架构、绩效考核、接班计划。
lean | management_consulting.lean_quality | service | 150203 | 精益生产与6S现场管理 | 提高产能、减少浪费和次品，班组长训练。
fair | market_development.exhibitions | service | 150781 | 口岸商品展销会 | 组织企业参加中蒙俄博览会和农畜产品推介会，预订展位。
brand | market_development.brand_building | service | 150102 | 区域品牌策划与宣传片拍摄 | 品牌定位、VI、广告投放，申报蒙字标。
live | market_development.e_commerce | service | 150402 | 直播带货与网店代运营 | 抖音、淘宝、拼多多店铺运营，主播培训，牛肉干和奶食品销售经验丰富。
bid | market_development.government_procurement | service | 150105 | 标书制作与投标辅导 | 政府采购投标文件编写、资格审查、采购平台入驻。
export | market_development.foreign_trade | service | 152501 | 出口报关与蒙古国市场开拓 | 代理报关、出口退税、口岸通关、找海外买家。
russia | market_development.foreign_trade | service | 150781 | 俄罗斯木材进口代理 | 进口木材报关、检疫、仓储运输。
labour-law | legal.contracts_labour | service | 150102 | 劳动用工法律顾问 | 劳动合同审查、工伤、辞退补偿、劳动仲裁代理。
debt | legal.rights_protection | service | 150203 | 欠款追收与诉讼代理 | 追讨拖欠账款、发律师函、调解、起诉、执行。
compliance | legal.legal_training | training | 150102 | 企业合规与法律知识培训 | 普法讲座、合规管理体系培训。
"""

# need -> ids of offerings that answer it; the first is the one meant
NEEDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("牛奶化验", ("dairy-test",)),
    ("资金周转不开", ("loan",)),
    ("包装太土了", ("package",)),
    ("商标被抢注", ("trademark",)),
    ("招不到工人", ("hire", "college")),
    ("客户欠我货款一直不还", ("debt",)),
    ("想把牛肉干卖到网上", ("live",)),
    ("想做出口蒙古国的生意，不会报关", ("export",)),
    ("找人给厂里做账报税", ("bookkeeping",)),
    ("环保局要求办环评", ("eia",)),
    ("电费太高想省电", ("energy",)),
    ("没有抵押物银行不给贷款", ("guarantee", "loan")),
    ("车间乱、次品多", ("lean",)),
    ("员工要考电焊证", ("welder",)),
    ("想申报专精特新", ("policy",)),
    ("想租一间标准厂房", ("incubator",)),
    ("办营业执照", ("register",)),
    ("酸奶口感不好，想换菌种", ("strain",)),
    ("羊绒含量鉴定", ("cashmere-test",)),
    ("羊肉要测瘦肉精", ("meat-test",)),
    ("稀土材料做物相分析", ("xrd",)),
    ("需要用电镜看看粉末形貌", ("sem",)),
    ("发明了一个新机器想申请专利", ("patent",)),
    ("客户要求我们有ISO9001证书", ("iso",)),
    ("大米想做有机认证", ("organic",)),
    ("地磅需要检定", ("calibrate",)),
    ("屠宰场污水处理", ("water",)),
    ("想上新三板", ("ipo",)),
    ("找天使投资人", ("equity",)),
    ("公司被列入失信，怎么修复信用", ("credit",)),
    ("辞退员工被告到劳动仲裁", ("labour-law",)),
    ("想参加展会找订单", ("fair",)),
    ("投标不会写标书", ("bid",)),
    ("做个小程序", ("site",)),
    ("工厂设备数据采集上MES", ("mes",)),
    ("儿子不想接班，家族企业怎么办", ("strategy",)),
    ("拍一个企业宣传片", ("brand",)),
    ("猎头找总工程师", ("headhunt",)),
    ("返乡创业没有方向，想找导师", ("mentor", "projects")),
    ("煤的发热量化验", ("coal-test",)),
    ("土豆种薯退化", ("potato",)),
    ("想和职业学校合作培养技术工人", ("college",)),
    ("年度审计报告", ("audit",)),
    ("安全员培训取证", ("safety-class",)),
    ("产品外形要重新设计，出图纸", ("product-design",)),
    ("银行贷款利息太高，有没有贴息", ("subsidy",)),
    ("Need a lab for milk testing", ("dairy-test",)),
    ("packaging design for beef jerky", ("package",)),
    ("土壤检测", ("soil-test",)),
    ("服务器老坏，想上云", ("cloud",)),
)

NO_ANSWER = ("想买一只宠物猫", "asdf qwer zxcv", "周末去哪里钓鱼", "篮球比赛门票")
