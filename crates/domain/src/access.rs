//! Who may do what, where: roles, acts and the actor every command is given.
//!
//! Default deny: a role holds exactly the acts listed for it here. A person works in one post at a time (one role
//! over one region range), so every record says in which capacity it was made.

use crate::{
    ids::{AccountId, CarerId, ProviderId},
    regions::{RegionCode, RegionRange},
};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $label:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $code)] $variant),* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The stable name kept in tables and URLs.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code),* }
            }

            /// What people call it.
            pub fn label(self) -> &'static str {
                match self { $($name::$variant => $label),* }
            }

            /// The value with this stable name.
            pub fn from_code(code: &str) -> Option<$name> {
                match code { $($code => Some($name::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// A kind of post.
    Role {
        /// Sets up accounts and machines; can neither see nor make money.
        Administrator = "administrator" "平台管理员",
        /// City civil affairs: oversees everything in the city, approves exceptions and statements.
        CityCivilAffairs = "city_civil_affairs" "市民政",
        /// County civil affairs: the same within a county.
        CountyCivilAffairs = "county_civil_affairs" "区县民政",
        /// A clerk of a street or township: keeps the register, imports lists.
        StreetOfficer = "street_officer" "街道（乡镇）经办",
        /// A worker of a village or community.
        CommunityWorker = "community_worker" "村（社区）工作人员",
        /// Answers 12349.
        Agent = "agent" "热线坐席",
        /// Leads the hotline's shift: sees how fast alarms are answered, looks a second time at those that were red.
        Supervisor = "supervisor" "热线班长",
        /// Sends carers to orders across providers.
        Dispatcher = "dispatcher" "派单员",
        /// Office of one provider.
        ProviderAdmin = "provider_admin" "服务商管理员",
        /// A carer who visits homes.
        Worker = "worker" "服务人员",
        /// Pays what others made and checked.
        Finance = "finance" "财政支付",
        /// Reads everything about money and evidence, changes nothing.
        Auditor = "auditor" "审计",
        /// A program with a token: telephone system, partner platform.
        System = "system" "接口程序",
    }
}

words! {
    /// Something a role may be allowed to do. Every route names exactly one.
    Act {
        /// Find and open elder records, masked.
        SeePeople = "see_people" "查看老年人档案",
        /// Open a masked field, giving a reason.
        RevealPeople = "reveal_people" "查看隐藏信息",
        /// Enter and correct elder records.
        EditPeople = "edit_people" "维护老年人档案",
        /// Import lists of people.
        ImportPeople = "import_people" "导入名单",
        /// Report a call, as a telephone system does.
        ReportCalls = "report_calls" "上报来电",
        /// Sit at the hotline desk.
        TakeCalls = "take_calls" "接听热线",
        /// Find and open orders.
        SeeOrders = "see_orders" "查看工单",
        /// Place and cancel orders.
        PlaceOrders = "place_orders" "下单与取消",
        /// Offer orders to carers.
        DispatchOrders = "dispatch_orders" "派单",
        /// Accept, visit and prove one's own orders.
        VisitHomes = "visit_homes" "上门服务",
        /// Record that the elder, the family or a call-back accepted the service, and the rating.
        ConfirmOrders = "confirm_orders" "验收与评价",
        /// Settle accepted orders and make statements.
        SettleOrders = "settle_orders" "结算",
        /// Be the second person of an exception or a statement.
        ApproveMoney = "approve_money" "复核",
        /// Pay a checked statement.
        PayMoney = "pay_money" "支付",
        /// Open ledger accounts, transfers and statements.
        SeeMoney = "see_money" "查看账目",
        /// Open evidence trails.
        SeeEvidence = "see_evidence" "查看留痕",
        /// Find and open providers and carers.
        SeeProviders = "see_providers" "查看服务商",
        /// Enter providers, carers and certificates.
        EditProviders = "edit_providers" "维护服务商",
        /// Find and open incidents, silences and who was last seen when.
        SeeAlarms = "see_alarms" "查看警情",
        /// Answer incidents, note, hold, escalate and close them.
        AnswerAlarms = "answer_alarms" "处置警情",
        /// Look a second time at a closed red incident.
        ReviewAlarms = "review_alarms" "复核警情",
        /// Say what came of calls and texts, as a telephone gateway does.
        ReportReaches = "report_reaches" "回报联络结果",
        /// Visit or ring up elders in duty, record what was seen, say who stands in.
        MakeRounds = "make_rounds" "巡访探望",
        /// Find and open devices.
        SeeDevices = "see_devices" "查看设备",
        /// Enter devices, give them secrets, take them out of use.
        EditDevices = "edit_devices" "维护设备",
        /// Report what devices say, as a vendor's platform does.
        SendSignals = "send_signals" "上报信号",
        /// Make accounts, posts and tokens.
        Administer = "administer" "管理账号",
    }
}

impl Role {
    /// The acts this role holds. Money is made, checked and paid by three different roles; the administrator has none
    /// of them.
    pub fn acts(self) -> &'static [Act] {
        use Act::*;
        match self {
            Role::Administrator => &[Administer],
            Role::CityCivilAffairs | Role::CountyCivilAffairs => &[
                SeePeople,
                RevealPeople,
                EditPeople,
                ImportPeople,
                SeeOrders,
                ApproveMoney,
                SeeMoney,
                SeeEvidence,
                SeeProviders,
                EditProviders,
                SeeAlarms,
                ReviewAlarms,
                SeeDevices,
                EditDevices,
            ],
            Role::StreetOfficer => &[
                SeePeople,
                RevealPeople,
                EditPeople,
                ImportPeople,
                SeeOrders,
                PlaceOrders,
                ConfirmOrders,
                SeeEvidence,
                SeeProviders,
                SeeAlarms,
                MakeRounds,
                SeeDevices,
                EditDevices,
            ],
            Role::CommunityWorker => &[
                SeePeople,
                RevealPeople,
                SeeOrders,
                PlaceOrders,
                ConfirmOrders,
                SeeAlarms,
                MakeRounds,
                SeeDevices,
            ],
            Role::Agent => &[
                SeePeople,
                RevealPeople,
                TakeCalls,
                SeeOrders,
                PlaceOrders,
                ConfirmOrders,
                SeeProviders,
                SeeEvidence,
                SeeAlarms,
                AnswerAlarms,
                MakeRounds,
                SeeDevices,
            ],
            Role::Supervisor => &[
                SeePeople,
                RevealPeople,
                TakeCalls,
                SeeOrders,
                PlaceOrders,
                ConfirmOrders,
                SeeProviders,
                SeeEvidence,
                SeeAlarms,
                AnswerAlarms,
                ReviewAlarms,
                MakeRounds,
                SeeDevices,
            ],
            Role::Dispatcher => &[
                SeePeople,
                SeeOrders,
                PlaceOrders,
                DispatchOrders,
                ConfirmOrders,
                SettleOrders,
                SeeMoney,
                SeeProviders,
                SeeEvidence,
            ],
            Role::ProviderAdmin => {
                &[SeeOrders, DispatchOrders, SettleOrders, SeeMoney, SeeProviders, EditProviders, SeeEvidence]
            }
            Role::Worker => &[VisitHomes],
            Role::Finance => &[SeeMoney, PayMoney, SeeEvidence],
            Role::Auditor => &[
                SeePeople,
                RevealPeople,
                SeeOrders,
                SeeMoney,
                SeeEvidence,
                SeeProviders,
                SeeAlarms,
                SeeDevices,
            ],
            Role::System => &[
                ReportCalls,
                SeePeople,
                EditPeople,
                ImportPeople,
                SeeOrders,
                PlaceOrders,
                DispatchOrders,
                VisitHomes,
                ConfirmOrders,
                SettleOrders,
                SeeMoney,
                SeeProviders,
                SeeEvidence,
                SeeAlarms,
                AnswerAlarms,
                ReportReaches,
                MakeRounds,
                SeeDevices,
                EditDevices,
                SendSignals,
            ],
        }
    }

    /// Roles that must prove a second factor when they sign in: whoever can change accounts or money, or sees all.
    pub fn needs_second_factor(self) -> bool {
        matches!(self, Role::Administrator | Role::CityCivilAffairs | Role::Finance | Role::Auditor)
    }

    /// Roles that act for one provider and see nothing of another.
    pub fn of_provider(self) -> bool {
        matches!(self, Role::ProviderAdmin | Role::Worker)
    }
}

/// The answer to someone whose post does not include an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("您的岗位不能办理“{}”，请联系平台管理员", .0.label())]
pub struct Forbidden(pub Act);

/// Who acts, in which capacity, over which regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account that signed in, or that owns the token.
    pub account: AccountId,
    /// Display name of the account.
    pub name: String,
    /// The role of the post in use.
    pub role: Role,
    /// The regions of the post in use.
    pub range: RegionRange,
    /// The provider, for posts that act for one.
    pub provider: Option<ProviderId>,
    /// The carer, for posts of a worker.
    pub carer: Option<CarerId>,
}

impl Actor {
    /// Whether the post includes the act at all; what is where is decided by `scope` and `sees`.
    pub fn may(&self, act: Act) -> Result<(), Forbidden> {
        if self.role.acts().contains(&act) { Ok(()) } else { Err(Forbidden(act)) }
    }

    /// Whether a record of this region is visible at all. What is not must look as if it did not exist.
    pub fn sees(&self, region: RegionCode) -> bool {
        self.range.holds(region)
    }

    /// Whether a record of this provider is visible to a post that may act for one provider only.
    pub fn sees_provider(&self, provider: Option<ProviderId>) -> bool {
        self.provider.is_none() || self.provider == provider
    }

    /// The limits every list query takes. Zero stands for "any".
    pub fn scope(&self) -> Scope {
        Scope {
            lo: self.range.lo,
            hi: self.range.hi,
            provider: self.provider.map_or(0, |p| p.0),
            carer: self.carer.map_or(0, |c| c.0),
        }
    }
}

/// What a list query may touch: a region range and, for some posts, one provider or carer (0 = any).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// First region code.
    pub lo: i64,
    /// Last region code.
    pub hi: i64,
    /// The only provider, or 0.
    pub provider: i64,
    /// The only carer, or 0.
    pub carer: i64,
}

impl Scope {
    /// The same scope narrowed to a region; empty when they do not meet.
    pub fn narrowed(self, to: Option<RegionRange>) -> Scope {
        match to.map(|to| (RegionRange { lo: self.lo, hi: self.hi }).meet(to)) {
            None => self,
            Some(Some(both)) => Scope { lo: both.lo, hi: both.hi, ..self },
            Some(None) => Scope { lo: 1, hi: 0, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_makes_checks_and_pays() {
        for role in Role::ALL {
            let money: Vec<_> = [Act::SettleOrders, Act::ApproveMoney, Act::PayMoney]
                .into_iter()
                .filter(|act| role.acts().contains(act))
                .collect();
            assert!(money.len() <= 1, "{} holds {money:?}", role.label());
        }
    }

    #[test]
    fn the_administrator_touches_no_person_and_no_money() {
        assert_eq!(Role::Administrator.acts(), [Act::Administer]);
    }

    #[test]
    fn only_the_administrator_administers() {
        let holders: Vec<_> = Role::ALL.iter().filter(|r| r.acts().contains(&Act::Administer)).collect();
        assert_eq!(holders, [&Role::Administrator]);
    }
}
