//! Accounts: names to sign in with, passwords worth having, when the door locks, and who may be given which post.

use crate::{
    access::Role,
    refusal::{Refusal, RefusalKind},
    regions::RegionRange,
    time::{At, Now},
};

use super::text;

/// Wrong answers after which the door is locked.
const FAILURES_MAX: i64 = 5;
/// How long it stays locked, and after how long wrong answers are forgotten.
const LOCK_MINUTES: i64 = 15;
/// Characters a password has at least; OWASP and GB/T 22239 ask for 8, length is what guessing fails on.
const PASSWORD_MIN: usize = 10;
/// Characters a password has at most, so that hashing cannot be made expensive.
const PASSWORD_MAX: usize = 128;
/// Different characters a password has at least.
const PASSWORD_VARIETY: usize = 5;

/// Parts that make a password guessable whatever stands around them; lower case.
const BAD_PARTS: &[&str] = &[
    "password",
    "passw0rd",
    "12345678",
    "87654321",
    "11111111",
    "00000000",
    "88888888",
    "66666666",
    "qwertyui",
    "asdfghjk",
    "1qaz2wsx",
    "1q2w3e4r",
    "abcd1234",
    "abc12345",
    "admin123",
    "iloveyou",
    "woaini",
    "5201314",
    "xiyanghong",
    "minzheng",
    "yanglao",
    "letmein",
    "welcome1",
    "changeme",
];

/// What one types to sign in: 3 to 32 lower-case letters, digits, `.`, `_`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

/// The text is no account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("账号应为 3 到 32 位的小写字母、数字或 . _ -，以字母或数字开头")]
pub struct NotAUsername;

impl Username {
    /// Reads what was typed; capitals and full-width letters are folded.
    ///
    /// # Errors
    /// When it has other characters or another length.
    pub fn parse(typed: &str) -> Result<Username, NotAUsername> {
        let name = text::compact(typed).to_ascii_lowercase();
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if (3..=32).contains(&name.len()) && starts && name.bytes().all(fits) {
            Ok(Username(name))
        } else {
            Err(NotAUsername)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Too short to withstand guessing.
    #[error("密码至少 {PASSWORD_MIN} 位，可以用几个不相干的词连起来")]
    TooShort,
    /// Longer than anybody types.
    #[error("密码最多 {PASSWORD_MAX} 位")]
    TooLong,
    /// The account name stands in it.
    #[error("密码里不能含有账号名，请换一个")]
    LikeUsername,
    /// Everybody's first guess.
    #[error("这个密码太常见，别人一猜就中，请换一个")]
    Common,
    /// Nearly the same character throughout.
    #[error("密码里的字符太单一，至少要有 {PASSWORD_VARIETY} 种不同的字符")]
    Monotonous,
}

impl Refusal for PasswordRefusal {
    fn code(&self) -> &'static str {
        match self {
            PasswordRefusal::TooShort => "password_too_short",
            PasswordRefusal::TooLong => "password_too_long",
            PasswordRefusal::LikeUsername => "password_like_username",
            PasswordRefusal::Common => "password_common",
            PasswordRefusal::Monotonous => "password_monotonous",
        }
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

/// Whether a password will do for an account.
///
/// # Errors
/// What is wrong with it, in words that say how to do better.
pub fn acceptable(password: &str, username: &Username) -> Result<(), PasswordRefusal> {
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        return Err(PasswordRefusal::TooShort);
    }
    if length > PASSWORD_MAX {
        return Err(PasswordRefusal::TooLong);
    }
    let lower = password.to_lowercase();
    if lower.contains(username.as_str()) {
        return Err(PasswordRefusal::LikeUsername);
    }
    if BAD_PARTS.iter().any(|part| lower.contains(part)) {
        return Err(PasswordRefusal::Common);
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < PASSWORD_VARIETY {
        return Err(PasswordRefusal::Monotonous);
    }
    Ok(())
}

/// Wrong answers given under one name, whether or not an account has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Wrong answers since the last right one.
    pub failures: i64,
    /// When the last of them was given.
    pub last: At,
    /// Until when the door is locked.
    pub locked_until: At,
}

impl Attempts {
    /// A name under which nothing went wrong.
    pub const NONE: Attempts = Attempts { failures: 0, last: At(0), locked_until: At(0) };

    /// Minutes the door stays locked, rounded up.
    pub fn locked(&self, now: Now) -> Option<i64> {
        let seconds = self.locked_until.seconds_since(now.0);
        (seconds > 0).then(|| (seconds + 59) / 60)
    }

    /// With one more wrong answer.
    #[must_use]
    pub fn failed(self, now: Now) -> Attempts {
        let forgotten = now.0.minutes_since(self.last) >= LOCK_MINUTES;
        let failures = if forgotten { 1 } else { self.failures + 1 };
        let locks = failures >= FAILURES_MAX;
        Attempts {
            failures: if locks { 0 } else { failures },
            last: now.0,
            locked_until: if locks { now.0.plus_minutes(LOCK_MINUTES) } else { self.locked_until },
        }
    }
}

/// Why a post cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostRefusal {
    /// Nobody widens their own rights.
    #[error("不能给自己增加岗位，请由另一位平台管理员办理")]
    Oneself,
    /// Whoever manages accounts touches neither people nor money.
    #[error("平台管理员不能兼任其他岗位，请为业务岗位另开账号")]
    AdministratorAlone,
    /// Programs sign in by token only.
    #[error("接口程序不能登录，请在“接口令牌”里新建")]
    ProgramsHaveTokens,
    /// The region is not inside the giver's.
    #[error("只能授予您管辖范围以内的岗位")]
    OutsideRange,
    /// A role of a provider without one.
    #[error("这个岗位要选定服务商")]
    ProviderMissing,
    /// A provider for a role that has none.
    #[error("这个岗位不属于服务商，请不要选服务商")]
    ProviderUnfit,
    /// A carer's post without the carer.
    #[error("服务人员岗位要选定护理员档案")]
    CarerMissing,
    /// The same post a second time.
    #[error("已经有同样的岗位")]
    Already,
}

impl Refusal for PostRefusal {
    fn code(&self) -> &'static str {
        match self {
            PostRefusal::Oneself => "post_for_oneself",
            PostRefusal::AdministratorAlone => "administrator_alone",
            PostRefusal::ProgramsHaveTokens => "programs_have_tokens",
            PostRefusal::OutsideRange => "post_outside_range",
            PostRefusal::ProviderMissing => "provider_missing",
            PostRefusal::ProviderUnfit => "provider_unfit",
            PostRefusal::CarerMissing => "carer_missing",
            PostRefusal::Already => "post_already",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            PostRefusal::ProviderMissing | PostRefusal::ProviderUnfit | PostRefusal::CarerMissing => {
                RefusalKind::Invalid
            }
            _ => RefusalKind::Conflict,
        }
    }
}

/// Whether a post of this role may be given over `wanted` by somebody who holds `own`, to an account that already has
/// the roles `held`.
///
/// # Errors
/// The rule that stands against it.
pub fn may_give(role: Role, wanted: RegionRange, own: RegionRange, held: &[Role]) -> Result<(), PostRefusal> {
    if role == Role::System {
        return Err(PostRefusal::ProgramsHaveTokens);
    }
    if !own.covers(wanted) {
        return Err(PostRefusal::OutsideRange);
    }
    let mixes = |one: &Role| (*one == Role::Administrator) != (role == Role::Administrator);
    if held.iter().any(mixes) {
        return Err(PostRefusal::AdministratorAlone);
    }
    Ok(())
}

/// Whether provider and carer are named exactly where the role asks for them.
///
/// # Errors
/// What is missing or too much.
pub fn fits_role(role: Role, provider: bool, carer: bool) -> Result<(), PostRefusal> {
    match (role, provider, carer) {
        (Role::Worker, _, false) => Err(PostRefusal::CarerMissing),
        (role, false, _) if role.of_provider() => Err(PostRefusal::ProviderMissing),
        // A program may be tied to one provider: a provider's own system.
        (Role::System, _, false) => Ok(()),
        (role, true, _) if !role.of_provider() => Err(PostRefusal::ProviderUnfit),
        (role, _, true) if role != Role::Worker => Err(PostRefusal::ProviderUnfit),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions::RegionCode;

    fn now(minutes: i64) -> Now {
        Now(At(1_790_000_000_000_000).plus_minutes(minutes))
    }

    #[test]
    fn names_are_folded_and_checked() {
        assert_eq!(Username::parse(" Ｌiu.Min ").unwrap().as_str(), "liu.min");
        for bad in ["", "ab", "刘敏敏", ".liu", "a b\u{7}c/", &"a".repeat(33)] {
            assert_eq!(Username::parse(bad), Err(NotAUsername), "{bad:?}");
        }
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        let liu = Username::parse("liumin").unwrap();
        for (password, refusal) in [
            ("short-1", PasswordRefusal::TooShort),
            ("LiuMin-2026-x", PasswordRefusal::LikeUsername),
            ("my-Password-99", PasswordRefusal::Common),
            ("a12345678z", PasswordRefusal::Common),
            ("aabbaabbaabb", PasswordRefusal::Monotonous),
        ] {
            assert_eq!(acceptable(password, &liu), Err(refusal), "{password}");
        }
        assert_eq!(acceptable(&"长".repeat(129), &liu), Err(PasswordRefusal::TooLong));
        assert_eq!(acceptable("槐树下的三只旧茶缸子呀", &liu), Ok(()));
        assert_eq!(acceptable("harbour-lamp-19", &liu), Ok(()));
    }

    #[test]
    fn five_wrong_answers_lock_for_fifteen_minutes() {
        let mut attempts = Attempts::NONE;
        for n in 0..4 {
            attempts = attempts.failed(now(n));
            assert_eq!(attempts.locked(now(n)), None);
        }
        attempts = attempts.failed(now(4));
        assert_eq!(attempts.locked(now(4)), Some(15));
        assert_eq!(attempts.locked(now(18)), Some(1));
        assert_eq!(attempts.locked(now(19)), None);
        // After the lock one has five attempts again, not one.
        assert_eq!(attempts.failed(now(19)).locked(now(19)), None);
    }

    #[test]
    fn wrong_answers_long_ago_are_forgotten() {
        let mut attempts = Attempts::NONE;
        for n in 0..10 {
            attempts = attempts.failed(now(n * 15));
            assert_eq!(attempts.locked(now(n * 15)), None);
        }
    }

    #[test]
    fn posts_are_given_inside_ones_own_range_and_never_mixed() {
        let county = RegionCode::parse("410202").unwrap().range();
        let town = RegionCode::parse("410202001").unwrap().range();
        let next = RegionCode::parse("410203").unwrap().range();
        let give = |role, wanted, held: &[Role]| may_give(role, wanted, county, held);
        assert_eq!(give(Role::StreetOfficer, town, &[Role::Agent]), Ok(()));
        assert_eq!(give(Role::StreetOfficer, next, &[]), Err(PostRefusal::OutsideRange));
        assert_eq!(give(Role::Auditor, RegionRange::ALL, &[]), Err(PostRefusal::OutsideRange));
        let mixed = Err(PostRefusal::AdministratorAlone);
        assert_eq!(give(Role::Administrator, county, &[Role::Finance]), mixed);
        assert_eq!(give(Role::Finance, county, &[Role::Administrator]), mixed);
        assert_eq!(give(Role::System, county, &[]), Err(PostRefusal::ProgramsHaveTokens));
    }

    #[test]
    fn a_provider_stands_exactly_where_the_role_needs_one() {
        assert_eq!(fits_role(Role::ProviderAdmin, true, false), Ok(()));
        assert_eq!(fits_role(Role::ProviderAdmin, false, false), Err(PostRefusal::ProviderMissing));
        assert_eq!(fits_role(Role::Worker, true, false), Err(PostRefusal::CarerMissing));
        assert_eq!(fits_role(Role::Worker, true, true), Ok(()));
        assert_eq!(fits_role(Role::Agent, true, false), Err(PostRefusal::ProviderUnfit));
        assert_eq!(fits_role(Role::Finance, false, true), Err(PostRefusal::ProviderUnfit));
        assert_eq!(fits_role(Role::System, true, false), Ok(()));
    }
}
