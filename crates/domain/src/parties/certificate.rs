//! What a carer is trained and licensed for, by the words of the city packs.

use crate::access::words;

words! {
    /// A certificate a carer may hold.
    Certificate {
        /// Entry level of the national occupation.
        Care5 = "care_5" "养老护理员五级",
        /// The next level.
        Care4 = "care_4" "养老护理员四级",
        /// The next level.
        Care3 = "care_3" "养老护理员三级",
        /// The next level.
        Care2 = "care_2" "养老护理员二级",
        /// Senior technician.
        Care1 = "care_1" "养老护理员一级",
        /// Bathing with a portable tub.
        Bathing = "bathing" "助浴培训",
        /// Whoever handles food.
        HealthCertificate = "health_certificate" "健康证",
        /// First aid.
        FirstAid = "first_aid" "急救证",
        /// Registered nurse.
        Nurse = "nurse" "注册护士",
        /// Rehabilitation therapist.
        RehabTherapist = "rehab_therapist" "康复治疗师",
        /// Electrician.
        Electrician = "electrician" "电工证",
        /// Hairdresser.
        Barber = "barber" "理发",
        /// Professional cleaning.
        Cleaning = "cleaning" "专业清洗",
        /// What everybody needs before the first visit.
        Induction = "induction" "岗前培训",
        /// Home safety checks.
        SafetyInduction = "safety_induction" "安全排查培训",
        /// Visits to those who live alone.
        VisitorInduction = "visitor_induction" "探访培训",
        /// Emergency call-outs.
        Responder = "responder" "应急响应培训",
        /// Social worker.
        SocialWorker = "social_worker" "社会工作者",
        /// Volunteer.
        VolunteerTraining = "volunteer_training" "志愿者培训",
        /// Counsellor.
        Counsellor = "counsellor" "心理咨询",
        /// Lawyer.
        Lawyer = "lawyer" "律师",
    }
}

impl Certificate {
    /// Level of a care worker, 5 (entry) to 1; none for the others.
    pub fn level(self) -> Option<u8> {
        match self {
            Certificate::Care5 => Some(5),
            Certificate::Care4 => Some(4),
            Certificate::Care3 => Some(3),
            Certificate::Care2 => Some(2),
            Certificate::Care1 => Some(1),
            _ => None,
        }
    }

    /// Whether this certificate is enough where another is asked: a higher level always is.
    pub fn satisfies(self, asked: Certificate) -> bool {
        match (self.level(), asked.level()) {
            (Some(held), Some(asked)) => held <= asked,
            _ => self == asked,
        }
    }

    /// The demand of a catalogue item in words: `care_4|nurse` is 养老护理员四级或注册护士.
    pub fn demand(text: &str) -> String {
        let name = |code: &str| {
            Certificate::from_code(code.trim()).map_or_else(|| code.to_owned(), |c| c.label().to_owned())
        };
        text.split('+')
            .filter(|part| !part.trim().is_empty())
            .map(|any| any.split('|').map(name).collect::<Vec<_>>().join("或"))
            .collect::<Vec<_>>()
            .join("，并有")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_level_is_always_enough_and_a_lower_never() {
        assert!(Certificate::Care3.satisfies(Certificate::Care5));
        assert!(!Certificate::Care5.satisfies(Certificate::Care4));
        assert!(!Certificate::Care1.satisfies(Certificate::Nurse));
        assert!(Certificate::Nurse.satisfies(Certificate::Nurse));
    }

    #[test]
    fn a_demand_is_told_in_words() {
        assert_eq!(Certificate::demand("care_4|nurse"), "养老护理员四级或注册护士");
        assert_eq!(Certificate::demand("care_5+first_aid"), "养老护理员五级，并有急救证");
        assert_eq!(Certificate::demand(""), "");
    }
}
