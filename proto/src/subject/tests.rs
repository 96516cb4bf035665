use super::*;

const TASK: &str = "vs3tl6e2t2bmylf5r7pg2ndlxn";

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn every_form_reads_back() {
    for text in [
        "cadre.0.log.$",
        "cadre.7.timer.$.wake",
        "cadre.1023.due.$.wake",
        "cadre.3.dead.report.cadre.3.in.report.x",
        "cadre.3.work.extractor.$.extract-3.1",
        "cadre.3.in.goal.acme.$",
        "cadre.3.in.report.extractor.$.extract.4294967295",
        "cadre.3.in.cancel.cli.$",
        "cadre.3.in.control.cli.$",
        "cadre.3.in.decision.cli.$",
        "cadre.3.in.timer.wake.$",
        "cadre.3.run.extractor.$.extract",
        "goals.acme.contract-intake",
        "goals.rejected.acme",
        "answers.acme.contract-intake.$",
    ] {
        let text = text.replace('$', TASK);
        assert_eq!(Subject::parse(&text).unwrap().to_string(), text);
    }
}

#[test]
fn hostile_subjects_are_errors() {
    for text in [
        "",
        ".",
        "cadre",
        "cadre.0",
        "cadre.0.log",
        "cadre.0.log.",
        "cadre.0.log.x",
        "cadre.*.log.$",
        "cadre.00.log.$",
        "cadre.+1.log.$",
        "cadre.1024.log.$",
        "cadre.99999999999.log.$",
        "cadre.0.log.$.x",
        "cadre.0.timer.$",
        "cadre.0.timer.$.other",
        "cadre.0.in.signal.$",
        "cadre.0.in.timer.other.$",
        "cadre.0.in.control.$",
        "cadre.0.in.control.CLI.$",
        "cadre.0.in.decision.cli.$.pay",
        "cadre.0.work.r.$.s.0",
        "cadre.0.work.r.$.s.01",
        "cadre.0.work.r.$.s.",
        "cadre.0.work.r.$.s",
        "cadre.0.work.r.$.s.4294967296",
        "cadre.0.work.r.$.s-.1",
        "cadre.0.work.R.$.s.1",
        "cadre.0.dead.report",
        "cadre.0.dead.report.a..b",
        "cadre.0.dead.report.a b",
        "cadre.0.dead.report.>",
        "goals.acme",
        "goals.acme.w.x",
        "goals.rejected",
        "goals.*.>",
        "answers.a.b",
        "Cadre.0.log.$",
        "cadre.0.log.$\r\n",
        "cadre.0.unknown.$",
    ] {
        let text = text.replace('$', TASK);
        assert!(Subject::parse(&text).is_err(), "{text:?}");
    }
    let long = format!("cadre.0.dead.report.{}", "a.".repeat(400));
    assert_eq!(Subject::parse(&long).unwrap_err().problem, SubjectProblem::TooLong);
}

#[test]
fn a_report_answers_its_work_order() {
    let work = format!("cadre.5.work.extractor.{TASK}.extract-3.2");
    let report = format!("cadre.5.in.report.extractor.{TASK}.extract-3.2");
    assert_eq!(report_for(&work), Some(report.clone()));
    assert_eq!(report_for(&report), None);
    assert_eq!(report_for("cadre.5.work.>"), None);
}

#[test]
fn functions_and_forms_agree() {
    let (p, task) = (Partition(9), TaskId::parse(TASK).unwrap());
    let step = StepId::item(name("extract"), 3);
    let attempt = Attempt { role: name("r"), task: task.clone(), step: step.clone(), number: 1 };
    let pairs = [
        (log(p, &task), Subject::Log(p, task.clone())),
        (stop(p, &task), Subject::Stop(p, task.clone())),
        (timer(p, &task), Subject::Timer(p, task.clone())),
        (due(p, &task), Subject::Due(p, task.clone())),
        (work(p, &attempt), Subject::Work(p, attempt.clone())),
        (report(p, &attempt), Subject::InReport(p, attempt)),
        (in_timer(p, &task), Subject::InTimer(p, task.clone())),
        (rejected(&name("acme")), Subject::Rejected(name("acme"))),
    ];
    for (text, subject) in pairs {
        assert_eq!(Subject::parse(&text), Ok(subject));
    }
    for text in [
        goal(p, &name("acme"), &task),
        cancel(p, &name("cli"), &task),
        control(p, &name("cli"), &task),
        decision(p, &name("cli"), &task),
        run(p, &name("r"), &task, &step),
        answer(&name("acme"), &name("w"), &task),
    ] {
        assert_eq!(Subject::parse(&text).unwrap().to_string(), text);
    }
}

#[test]
fn a_dead_letter_has_a_safe_subject_whatever_it_came_on() {
    for source in ["", "..", "goals.A b.ä\r\n", "a.>.*", &"x.".repeat(300), &"y".repeat(9000)] {
        let text = dead(Partition(1), &name("goal"), source);
        assert_eq!(Subject::parse(&text).unwrap().to_string(), text);
        assert!(text.len() < BYTES_MAX && text.is_ascii() && !text.contains([' ', '*', '>']));
    }
}

#[test]
fn the_tenant_of_rejected_goals_is_reserved() {
    for reserved in [REJECTED, "nobody"] {
        assert!(Intake::new(name(reserved), name("w")).is_err(), "{reserved}");
    }
    let intake = Intake::new(name("acme"), name("w")).unwrap();
    assert_eq!(intake.to_string(), "goals.acme.w");
    assert_eq!(Subject::parse("goals.rejected.w"), Ok(Subject::Rejected(name("w"))));
}
