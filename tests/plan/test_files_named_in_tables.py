"""The scans that a table names are watched, however the table is written."""

import pytest
import xlwt

from brainuad.plan.raw_files import files_named_in


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "subject,t1\na,../x/a.nii.gz\n", ["../x/a.nii.gz"]),
        ("a.csv", "subject;t1;seg\na;../x/a.nii.gz;m.nii\n", ["../x/a.nii.gz", "m.nii"]),
        ("a.CSV", "\ufeffsubject\tt1\r\na\tA.NII.GZ\r\n", ["A.NII.GZ"]),
        ("a.csv", 'subject, t1\na, "../x/a, 1.nii"\n', ["../x/a, 1.nii"]),
        ("a.tsv", 'subject\tt1\na\t../x/a".nii\n', ['../x/a".nii']),
        # Without a suffix, and in a format that is left out until it is converted.
        ("a.tsv", "subject\tt1\tage\na\tx/a\t34\nb\tx/b.mgz\t35\n", ["x/a", "x/b.mgz"]),
        ("a.csv", b"subject,t1\n\xfc,a.nii\n", []),
        ("a.csv", None, []),
    ],
)
def test_scans_of_a_table(tmp_path, name, text, expected):
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    found = files_named_in(str(tmp_path / name))
    assert found == [f"{tmp_path}/{path}" for path in expected]


def test_scans_of_a_spreadsheet(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Scans")
    rows = [("subject", "t1", "seg"), ("a", "../Köln/a 1.nii.gz", "m.nii"), ("b", "/x/B.NII", "")]
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.save(str(tmp_path / "a.xls"))
    found = files_named_in(str(tmp_path / "a.xls"))
    assert found == [f"{tmp_path}/../Köln/a 1.nii.gz", f"{tmp_path}/m.nii", "/x/B.NII"]
