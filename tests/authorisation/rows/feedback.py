"""Feedback: on one's own answers, by everybody who may talk; everybody's, for staff."""

from tests.authorisation.world import DONE, Row, for_staff, own

ROWS = {
    "FeedbackService.rate": Row(
        lambda world, account: world.app.feedback.rate(account, world.conversation.id, world.messages[1].id, 1, "Fine.")
    ),
    "FeedbackService.ratings": own(
        lambda world, account: world.app.feedback.ratings(account, world.conversation.id, [world.messages[1].id])
    ),
    "FeedbackService.tell": own(lambda world, account: world.app.feedback.tell(account, "It is fast.")),
    "FeedbackService.own": own(lambda world, account: world.app.feedback.own(account)),
    "FeedbackService.given": for_staff(lambda world, account: world.app.feedback.given(account), support=DONE),
    "FeedbackService.statistics": for_staff(
        lambda world, account: world.app.feedback.statistics(account), support=DONE
    ),
}
