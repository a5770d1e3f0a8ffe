//! The command line of the alarm desk: words in, acts out. Words are English, Chinese or the first letters of the
//! Chinese, so that neither hand has to leave the keys.

use app::signals::incidents::Pick;
use domain::signals::{
    incident::{IncidentOutcome, Level},
    ladder::Reach,
};
use serde::Serialize;

/// One thing a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Take it, or take it off hold.
    Answer,
    /// Note what is the matter, in these words.
    Say(&'static str),
    /// Call for somebody.
    Reach(Reach),
    /// Send somebody to the door.
    Send(Pick),
    /// Put it aside for a minute.
    Hold,
    /// Note these words.
    Note(String),
    /// More or less urgent, and why.
    Level(Level, String),
    /// Give it back to all, and why.
    HandOver(String),
    /// Go to its ending; with an outcome and who is with the elder, end it.
    Close(Option<IncidentOutcome>, String),
}

/// A line that was not understood; nothing of it is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error(
        "不认识“{0}”，整行都没有执行。可以用：跌倒 清醒 派人 驿站 120 家属 保持 结案 记录 等级，或按 ? 看全部快捷键"
    )]
    Word(String),
    #[error("等级请写 p1、p2、p3 或 p4，后面写原因，例如：等级 p2 老人已通话")]
    Level,
    #[error("请先写点什么再按回车")]
    Empty,
}

/// A word of the line: how it is typed, what it means, what it does.
struct Word {
    say: &'static str,
    /// Chinese, and the letters it begins with.
    also: &'static [&'static str],
    means: &'static str,
    does: Does,
}

enum Does {
    Answer,
    Say(&'static str),
    Dispatch,
    Reach(Reach),
    Hold,
    Note,
    Level,
    HandOver,
    Close,
}

const fn word(say: &'static str, also: &'static [&'static str], means: &'static str, does: Does) -> Word {
    Word { say, also, means, does }
}

const WORDS: &[Word] = &[
    word("answer", &["接", "接手", "js"], "接手", Does::Answer),
    word("fall", &["跌倒", "dd"], "跌倒", Does::Say("出了什么事：跌倒")),
    word("ill", &["疾病", "jb"], "疾病", Does::Say("出了什么事：疾病")),
    word("fire", &["火情", "hq"], "火情", Does::Say("出了什么事：火情或燃气")),
    word("lost", &["走失", "zs"], "走失", Does::Say("出了什么事：走失")),
    word("mistake", &["误按", "wa"], "误按", Does::Say("出了什么事：误按")),
    word("conscious", &["清醒", "qx"], "清醒", Does::Say("意识：清醒")),
    word("dazed", &["模糊", "mh"], "意识模糊", Does::Say("意识：模糊")),
    word("unconscious", &["叫不醒", "jbx"], "叫不醒", Does::Say("意识：叫不醒")),
    word("silent", &["没应答", "联系不上", "myd"], "没有应答", Does::Say("意识：没有应答")),
    word("dispatch", &["派人", "派人上门", "pr"], "派人上门", Does::Dispatch),
    word("station", &["驿站", "服务站", "yz"], "服务站", Does::Reach(Reach::Station)),
    word("neighbour", &["邻居", "钥匙", "lj"], "邻居或钥匙保管人", Does::Reach(Reach::Neighbour)),
    word("grid", &["网格员", "wgy"], "网格员", Does::Reach(Reach::GridWorker)),
    word("family", &["家属", "通知家属", "jiashu"], "通知家属", Does::Reach(Reach::Family)),
    word("elder", &["老人", "回拨", "hb"], "呼叫老人", Does::Reach(Reach::Elder)),
    word("120", &["急救", "jj"], "转 120", Does::Reach(Reach::Ambulance)),
    word("119", &["消防", "xf"], "转 119", Does::Reach(Reach::Fire)),
    word("110", &["报警", "bj"], "转 110", Does::Reach(Reach::Police)),
    word("leader", &["班长", "bz"], "上报班长", Does::Reach(Reach::Leader)),
    word("street", &["街道", "jd"], "街道值班", Does::Reach(Reach::Street)),
    word("hold", &["保持", "bc"], "保持 60 秒", Does::Hold),
    word("note", &["记录", "记", "jl"], "记录（后面写内容）", Does::Note),
    word("level", &["等级", "dj"], "调整等级（p1–p4 和原因）", Does::Level),
    word("handover", &["交接", "jiaojie"], "交还全体坐席（后面写原因）", Does::HandOver),
    word("close", &["结案", "办结", "ja"], "结案", Does::Close),
];

/// A suggestion for the script of the line.
#[derive(Debug, Serialize)]
struct Suggestion {
    say: &'static str,
    means: String,
    also: &'static [&'static str],
}

/// The words, for completion while one types.
pub(super) fn suggestions(lang: &str) -> String {
    let of = |w: &Word| Suggestion {
        say: w.say,
        means: crate::text::translate(w.means, lang).into_owned(),
        also: w.also,
    };
    let all: Vec<Suggestion> = WORDS.iter().map(of).collect();
    serde_json::to_string(&all).unwrap_or_default()
}

fn find(typed: &str) -> Option<&'static Word> {
    let typed = typed.to_lowercase();
    WORDS.iter().find(|w| w.say == typed || w.also.contains(&typed.as_str()))
}

/// What a line asks for, or the first thing in it that nobody understands.
pub(super) fn read(line: &str) -> Result<Vec<Act>, Unread> {
    let mut acts = Vec::new();
    let mut rest = line.trim();
    let mut sent = false;
    while !rest.is_empty() {
        let (typed, after) = split(rest);
        rest = after;
        let word = find(typed).ok_or_else(|| Unread::Word(typed.to_owned()))?;
        match &word.does {
            Does::Answer => acts.push(Act::Answer),
            Does::Say(sentence) => acts.push(Act::Say(sentence)),
            Does::Dispatch => match dispatch(&mut rest) {
                Some(pick) => acts.push(Act::Send(pick)),
                // The neighbour is rung up: the word for that follows.
                None => sent = true,
            },
            Does::Reach(to) => acts.push(Act::Reach(*to)),
            Does::Hold => acts.push(Act::Hold),
            Does::Note => acts.push(Act::Note(take(&mut rest))),
            Does::Level => {
                let (level, reason) = split(rest);
                let level = Level::from_code(&level.to_uppercase()).ok_or(Unread::Level)?;
                rest = "";
                acts.push(Act::Level(level, reason.to_owned()));
            }
            Does::HandOver => acts.push(Act::HandOver(take(&mut rest))),
            Does::Close => acts.push(close(&mut rest)),
        }
    }
    if acts.is_empty() && !sent {
        return Err(Unread::Empty);
    }
    Ok(acts)
}

/// The first word and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(first, rest)| (first, rest.trim()))
}

/// Everything that is left.
fn take(rest: &mut &str) -> String {
    std::mem::take(rest).trim().to_owned()
}

/// `dispatch`, `dispatch station`, `dispatch 2`, `dispatch 刘丽娟`: nearest, of a kind, by place in the list or by name.
/// None when a neighbour is meant, who is no helper of the platform's.
fn dispatch(rest: &mut &str) -> Option<Pick> {
    let (next, after) = split(rest);
    let pick = match find(next).map(|w| &w.does) {
        Some(Does::Reach(Reach::Neighbour)) => return None,
        Some(Does::Reach(Reach::Station)) => Pick::Station,
        Some(Does::Reach(Reach::GridWorker)) => Pick::Grid,
        // Another word of the line, or nothing.
        Some(_) => return Some(Pick::Nearest),
        None if next.is_empty() => return Some(Pick::Nearest),
        None => Pick::Said(next.to_owned()),
    };
    *rest = after;
    Some(pick)
}

/// `close 误按 女儿在家`: an outcome by its name or the beginning of it, then who is there.
fn close(rest: &mut &str) -> Act {
    let (first, who) = split(rest);
    let named = |o: &&IncidentOutcome| o.code() == first || o.label().starts_with(first);
    match IncidentOutcome::ALL.iter().find(|o| !first.is_empty() && named(o)) {
        Some(outcome) => {
            let who = who.to_owned();
            *rest = "";
            Act::Close(Some(*outcome), who)
        }
        None => Act::Close(None, take(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_several_things_at_once() {
        let acts = read("fall conscious dispatch station 120").unwrap();
        let say = |s| Act::Say(s);
        assert_eq!(
            acts,
            [
                say("出了什么事：跌倒"),
                say("意识：清醒"),
                Act::Send(Pick::Station),
                Act::Reach(Reach::Ambulance)
            ]
        );
        assert_eq!(read("跌倒  清醒 派人 邻居").unwrap()[2..], [Act::Reach(Reach::Neighbour)]);
        assert_eq!(read("dispatch").unwrap(), [Act::Send(Pick::Nearest)]);
        assert_eq!(read("dispatch family").unwrap(), [Act::Send(Pick::Nearest), Act::Reach(Reach::Family)]);
        let said = |s: &str| Act::Send(Pick::Said(s.into()));
        assert_eq!(read("派人 2 跌倒").unwrap(), [said("2"), say("出了什么事：跌倒")]);
        assert_eq!(read("pr 刘丽娟 hold").unwrap(), [said("刘丽娟"), Act::Hold]);
        assert_eq!(read("派人 网格员").unwrap(), [Act::Send(Pick::Grid)]);
    }

    #[test]
    fn what_follows_a_note_is_the_note() {
        assert_eq!(
            read("hold note 在洗澡 hold 一下").unwrap(),
            [Act::Hold, Act::Note("在洗澡 hold 一下".into())]
        );
        assert_eq!(read("level P2 已通话").unwrap(), [Act::Level(Level::P2, "已通话".into())]);
        assert_eq!(read("交接 换班").unwrap(), [Act::HandOver("换班".into())]);
    }

    #[test]
    fn an_ending_may_be_said_in_one_line() {
        let end = |outcome, who: &str| [Act::Close(outcome, who.into())];
        assert_eq!(read("结案").unwrap(), end(None, ""));
        assert_eq!(read("close 误按 女儿在家").unwrap(), end(Some(IncidentOutcome::FalsePress), "女儿在家"));
        assert_eq!(read("close false_press").unwrap(), end(Some(IncidentOutcome::FalsePress), ""));
        assert_eq!(read("close 女儿在家").unwrap(), end(None, "女儿在家"));
    }

    #[test]
    fn a_line_that_is_not_understood_does_nothing_at_all() {
        assert_eq!(read("hold xyz"), Err(Unread::Word("xyz".into())));
        assert_eq!(read("level p9 因为"), Err(Unread::Level));
        assert_eq!(read("  "), Err(Unread::Empty));
    }

    #[test]
    fn no_word_means_two_things() {
        for (n, word) in WORDS.iter().enumerate() {
            for said in word.also.iter().chain([&word.say]) {
                let others = WORDS.iter().enumerate().filter(|(m, _)| *m != n);
                for (_, other) in others {
                    assert!(other.say != *said && !other.also.contains(said), "{said}");
                }
            }
        }
    }
}
