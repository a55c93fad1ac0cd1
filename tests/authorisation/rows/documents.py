"""Collections and documents: one's own and the shared ones to read, one's own to change; guests change nothing."""

from tests.authorisation.world import REFUSED, Row, own

ROWS = {
    "Documents.collections": own(lambda world, account: world.app.documents.collections(account)),
    "Documents.create_collection": own(
        lambda world, account: world.app.documents.create_collection(account, "mine"), guest=REFUSED
    ),
    "Documents.ensure_collection": own(
        lambda world, account: world.app.documents.ensure_collection(account, "secrets"), guest=REFUSED
    ),
    "Documents.show_collection": Row(
        lambda world, account: world.app.documents.show_collection(account, world.collection.id)
    ),
    "Documents.delete_collection": Row(
        lambda world, account: world.app.documents.delete_collection(account, world.collection.id)
    ),
    "Documents.resolve": Row(lambda world, account: world.app.documents.resolve(account, [world.collection.id])),
    "Documents.list": Row(lambda world, account: world.app.documents.list(account, [world.collection])),
    "Documents.show": Row(lambda world, account: world.app.documents.show(account, world.document.id)),
    "Documents.select": Row(lambda world, account: world.app.documents.select(account, [world.document.id])),
    "Documents.remove": Row(lambda world, account: world.app.documents.remove(account, [world.document.id])),
    "Documents.passage": Row(lambda world, account: world.app.documents.passage(account, world.document.id, 0, 10)),
    "Documents.export": Row(lambda world, account: world.app.documents.export(account, world.document.id)),
}
