"""Lines of files of people, and what is read of them."""

from server.people_files.cells import PersonRow
from server.people_files.formats import recognise
from server.people_files.rows import Reading, read_people
from server.people_files.text_files import decode

LEA = "lea.roux@northwind.example"


def read(content: str | bytes) -> Reading:
    decoded = decode(content.encode() if isinstance(content, str) else content)
    return read_people(recognise(decoded.text))


def only_person(reading: Reading) -> PersonRow:
    assert reading.mistakes == []
    assert len(reading.people) == 1
    return reading.people[0]


def complaints(reading: Reading) -> list[tuple[int, str, str]]:
    return [(mistake.line, mistake.column, mistake.what) for mistake in reading.mistakes]


FRENCH_365 = (
    "Nom d’utilisateur,Prénom,Nom,Nom d’affichage,Fonction,Service,Numéro de bureau,Téléphone (bureau),"
    "Téléphone mobile,Télécopie,Autre adresse e-mail,Adresse,Ville,État ou province,Code postal,Pays ou région"
)
