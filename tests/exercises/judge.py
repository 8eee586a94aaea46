"""How every table of answers is judged: the hint that is expected, or None for a right answer."""


def judge(check, answer, hint):
    feedback = check(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message, feedback
