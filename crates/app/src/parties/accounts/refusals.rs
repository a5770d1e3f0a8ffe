//! Why something about an account was not done, in words that say what to do instead.

use domain::{
    parties::account::{NotAUsername, PasswordRefusal, PostRefusal},
    refusal::{Refusal, RefusalKind},
};

/// Why a command about accounts was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// The name to sign in with has wrong characters.
    #[error("{NotAUsername}")]
    Username,
    /// Somebody has it.
    #[error("账号 {0} 已有人使用，请换一个")]
    UsernameTaken(String),
    /// No name, or too long a one.
    #[error("姓名或名称应为 1 到 40 个字")]
    Name,
    /// Used, expired, replaced or invented.
    #[error("这个链接或验证码已失效：可能已用过、已过期，或被新的替换。请联系平台管理员重新发送")]
    CodeGone,
    /// There are accounts already.
    #[error("平台已有账号，不能再领取首个管理员账号，请由现有的平台管理员开户")]
    NotFirst,
    /// Nobody closes the door behind themselves.
    #[error("不能停用自己的账号或岗位，请由另一位平台管理员办理")]
    Oneself,
    /// The account is closed.
    #[error("账号已停用，请先恢复账号")]
    Closed,
    /// Part of the account belongs to another place.
    #[error("这个账号还有您管辖范围以外的岗位，请由上级平台管理员办理")]
    BeyondRange,
    /// The password one has now was typed wrong.
    #[error("当前密码不对")]
    WrongPassword,
    /// Too many wrong answers.
    #[error("错误次数过多，请在 {0} 分钟后再试")]
    Locked(i64),
    /// The code of the second factor is wrong, or was used.
    #[error("动态码不对，或已经用过，请等下一个动态码再输")]
    WrongCode,
    /// The half of signing in that was done has expired.
    #[error("登录已超时，请重新输入账号和密码")]
    Begin,
    /// A post asks for a second factor.
    #[error("您的岗位必须使用动态码，不能停用；换手机请直接重新绑定")]
    FactorNeeded,
    /// A post that asks for a second factor is chosen without one.
    #[error("这个岗位要求动态码，请先在“我的账号”里绑定")]
    FactorMissing,
    /// Too long or no time at all.
    #[error("有效期应为 1 到 {max} 天", max = super::TOKEN_DAYS_MAX)]
    Expiry,
    /// The post cannot be given.
    #[error(transparent)]
    Post(#[from] PostRefusal),
    /// The password will not do.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
}

impl Refusal for AccountRefusal {
    fn code(&self) -> &'static str {
        match self {
            AccountRefusal::Username => "username_malformed",
            AccountRefusal::UsernameTaken(_) => "username_taken",
            AccountRefusal::Name => "name_malformed",
            AccountRefusal::CodeGone => "code_gone",
            AccountRefusal::NotFirst => "not_first",
            AccountRefusal::Oneself => "not_oneself",
            AccountRefusal::Closed => "account_closed",
            AccountRefusal::BeyondRange => "beyond_range",
            AccountRefusal::WrongPassword => "wrong_password",
            AccountRefusal::Locked(_) => "locked",
            AccountRefusal::WrongCode => "wrong_code",
            AccountRefusal::Begin => "begin_again",
            AccountRefusal::FactorNeeded => "factor_needed",
            AccountRefusal::FactorMissing => "factor_missing",
            AccountRefusal::Expiry => "expiry_malformed",
            AccountRefusal::Post(post) => post.code(),
            AccountRefusal::Password(password) => password.code(),
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            AccountRefusal::Username | AccountRefusal::Name | AccountRefusal::Expiry => RefusalKind::Invalid,
            AccountRefusal::Post(post) => post.kind(),
            AccountRefusal::Password(password) => password.kind(),
            _ => RefusalKind::Conflict,
        }
    }
}
