//! Who works in the city: one person for each role, so that a visitor may sit at any desk.
//!
//! The three carers and their office are real ones of the city's list; everything the others see is theirs because of
//! the regions of their posts.

use domain::{
    access::Role,
    regions::{Level, RegionCode, RegionRange},
};

use crate::{City, Village};

/// Somebody with an account and one post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// Account name.
    pub username: &'static str,
    /// Full name.
    pub name: String,
    /// The role of the post.
    pub role: Role,
    /// The regions of the post.
    pub range: RegionRange,
    /// Index of the provider the post is for.
    pub provider: Option<u32>,
    /// Index of the carer who holds the post.
    pub carer: Option<u32>,
    /// What a visitor can try, in a line.
    pub hint: &'static str,
}

/// Carers who have accounts and whose work is left to visitors.
const WORKERS: usize = 3;

impl City {
    /// The personas, in the order they are shown.
    pub fn personas(&self) -> Vec<Persona> {
        let stage = Stage::of(self);
        let persona = |username, name: &str, role, range, hint| Persona {
            username,
            name: name.to_owned(),
            role,
            range,
            provider: None,
            carer: None,
            hint,
        };
        let (city, county) = (stage.city, stage.county);
        let (town, village) = (stage.township, stage.village);
        let mut all = vec![
            persona(
                "hujing",
                "胡静",
                Role::Agent,
                city,
                "接听 12349、处置警情，全程键盘；来电弹屏，代老人下单",
            ),
            persona("chenyan", "陈燕", Role::Agent, city, "与另一名坐席同时在线，看来电如何分给一人"),
            persona(
                "linhui",
                "林慧",
                Role::Supervisor,
                city,
                "带班：看接警时限和误报，给红色警情复看，自己也能接",
            ),
            persona("zhaolei", "赵磊", Role::Dispatcher, city, "派单：候选人、理由、撞单提醒、结算"),
            persona(
                "zhoujianguo",
                "周建国",
                Role::CityCivilAffairs,
                city,
                "全市档案与工单，复核例外与对账单",
            ),
            persona(
                "liwenbo",
                "李文博",
                Role::CountyCivilAffairs,
                county,
                "只看到本区县，试试打开别区县的档案",
            ),
            persona("wangxiufang", "王秀芳", Role::StreetOfficer, town, "登记老人、导入名单、窗口下单"),
            persona(
                "liulijuan",
                "刘丽娟",
                Role::CommunityWorker,
                village,
                "巡访本村（社区）：谁失联、谁到期，到门口登记",
            ),
            persona("songkai", "宋凯", Role::Finance, city, "支付已复核的对账单，别的都动不了"),
            persona("heguangming", "何光明", Role::Auditor, city, "看每一笔账和每一条留痕，什么都不能改"),
            persona("wuhao", "吴昊", Role::Administrator, city, "管理账号与岗位，看不到老人也碰不到钱"),
        ];
        let provider = &self.providers[stage.provider as usize];
        all.insert(
            4,
            Persona {
                provider: Some(provider.index),
                ..persona(
                    "fuwushang",
                    &provider.contact_name,
                    Role::ProviderAdmin,
                    city,
                    "服务商办公室：本公司的工单、人员和结算",
                )
            },
        );
        for (at, username) in ["fuwu1", "fuwu2", "fuwu3"].into_iter().enumerate().take(WORKERS) {
            let Some(carer) = self.carers.get(provider.carers.start as usize + at) else { continue };
            all.insert(
                5 + at,
                Persona {
                    provider: Some(provider.index),
                    carer: Some(carer.index),
                    ..persona(
                        username,
                        &carer.name,
                        Role::Worker,
                        city,
                        "手机页：接单、签到、拍照、签退，没网也能用",
                    )
                },
            );
        }
        all
    }
}

/// The places a visitor sees most of.
pub(crate) struct Stage {
    /// The whole city.
    pub(crate) city: RegionRange,
    /// The county of the personas.
    pub(crate) county: RegionRange,
    township: RegionRange,
    /// The village of the community worker.
    pub(crate) village: RegionRange,
    /// The provider whose office and carers visitors may be.
    pub(crate) provider: u32,
}

impl Stage {
    pub(crate) fn of(city: &City) -> Stage {
        // The village with most elders has something to show, and so have the township and county around it.
        let full = |a: &&Village, b: &&Village| a.people.cmp(&b.people).then(b.code.cmp(&a.code));
        let village = city.villages.iter().max_by(full).expect("a city has villages");
        let code = RegionCode::new(village.code).expect("village codes have 12 digits");
        let county = code.within(Level::County);
        let here = || city.providers.iter().filter(|p| p.county == county.number());
        let most = |all: &mut dyn Iterator<Item = &crate::SimProvider>| {
            all.max_by_key(|p| (p.carers.len(), u32::MAX - p.index)).map(|p| p.index)
        };
        let running = |p: &&crate::SimProvider| p.contract_to >= city.spec.today;
        let ranges = city.spec.regions.iter().filter_map(|r| RegionCode::new(*r).ok()).map(RegionCode::range);
        let whole = ranges.reduce(|a, b| RegionRange { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi) });
        Stage {
            city: whole.expect("a city was built from at least one region"),
            county: county.range(),
            township: code.within(Level::Township).range(),
            village: code.range(),
            provider: most(&mut here().filter(running))
                .or_else(|| most(&mut city.providers.iter().filter(running)))
                .unwrap_or(0),
        }
    }
}

impl City {
    /// Indices of the elders who live where the personas work.
    pub(crate) fn near(&self) -> std::ops::Range<u32> {
        let county = Stage::of(self).county;
        let inside = |v: &&Village| (county.lo..=county.hi).contains(&v.code);
        let mut villages = self.villages.iter().filter(inside);
        let Some(first) = villages.next() else { return 0..0 };
        let last = villages.next_back().unwrap_or(first);
        first.first..last.first + last.people
    }
}
