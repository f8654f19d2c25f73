"""Age, sex and site from spreadsheets, as they come and as users write them."""

import pandas as pd
import pytest
import xlwt
from odd_scans import ANNEX_KEY, LFS_POINTER
from test_layouts import listed, make_brats21, make_ixi
from test_layouts_own import write_tree

from brainuad.datasets.demographics import (
    Demographics,
    Person,
    age_of,
    read_demographics,
    with_demographics,
)
from brainuad.datasets.layouts import RawSubject
from brainuad.io import tables
from brainuad.io.errors import SettingsError
from brainuad.io.spreadsheets import read_spreadsheet

IXI_COLUMNS = ["IXI_ID", "SEX_ID (1=m, 2=f)", "HEIGHT", "WEIGHT", "DOB", "AGE"]
IXI_ROWS = [
    (2, 2, 164, 58, "1970-02-07", 35.800137),
    (12, 1, 175, 70, "1966-08-20", None),
    (12, 1, 175, 70, "1966-08-20", 38.78),
    (12, 1, 0, 0, "1966-08-20", 50),
    (35, 2, 160, 60, None, None),
]


def write_ixi_xls(path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for number, row in enumerate([IXI_COLUMNS, *IXI_ROWS]):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.save(str(path))


def write_ixi_csv(path):
    pd.DataFrame(IXI_ROWS, columns=IXI_COLUMNS).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("name", "write"), [("IXI.xls", write_ixi_xls), ("IXI.csv", write_ixi_csv)]
)
@pytest.mark.parametrize("asked", [True, False])
def test_spreadsheet_of_ixi_with_repeated_rows(tmp_path, name, write, asked):
    make_ixi(tmp_path / "raw")
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    write(downloads / name)
    table = listed(tmp_path, "ixi", downloads=downloads, demographics=name if asked else None)
    assert table.loc["IXI002-Guys-0802", ["age", "sex"]].tolist() == [35.800137, "f"]
    assert table.loc["IXI012-HH-0812", ["age", "sex"]].tolist() == [38.78, "m"]
    assert pd.isna(table.loc["IXI035-IOP-0835", "age"])
    assert table.loc["IXI035-IOP-0835", "sex"] == "f"
    assert table["site"].tolist() == ["Guys", "HH", "IOP"]


def test_table_of_ones_own(tmp_path):
    make_brats21(tmp_path / "raw")
    (tmp_path / "raw" / "people.tsv").write_text(
        "Subject\tAge\tSEX\tsite\tnote\n"
        "BraTS2021_00000\t71\tMale\tA\tx\n"
        "BraTS2021_00001\tn/a\to\t\tx\n"
        "BraTS2021_00009\t20\tF\tB\tx\n"
    )
    table = listed(tmp_path, "brats21", demographics="people.tsv")
    assert table.iloc[0][["age", "sex", "site"]].tolist() == [71, "m", "A"]
    assert table.iloc[1:][["age", "sex", "site"]].isna().all(axis=None)


def test_table_within_the_archives(tmp_path):
    make_brats21(tmp_path / "raw")
    (tmp_path / "raw" / "people.csv").write_text("subject,age\nBraTS2021_00000,71\n")
    settings = {"downloads": tmp_path / "downloads", "demographics": "people.csv"}
    (tmp_path / "downloads").mkdir()
    assert listed(tmp_path, "brats21", **settings)["age"].iloc[0] == 71
    # The one beside the archives goes first.
    (tmp_path / "downloads" / "people.csv").write_text("subject,age\nBraTS2021_00000,72\n")
    assert listed(tmp_path, "brats21", **settings)["age"].iloc[0] == 72


def matched(names, rows):
    """Which of the rows, each a person of another age, each subject gets; and the remarks."""
    people = {row: Person(age=float(age)) for age, row in enumerate(rows)}
    subjects = [RawSubject(name, {}) for name in names]
    described, remarks = with_demographics(subjects, Demographics("people.tsv", len(rows), people))
    return [None if raw.age is None else rows[int(raw.age)] for raw in described], remarks


@pytest.mark.parametrize(
    ("names", "rows", "expected"),
    [
        (["sub-01", "x-1-2"], ["01", "x-1"], ["01", None]),
        (["IXI002-Guys-0828", "IXI0021-HH-1"], ["IXI002"], ["IXI002", None]),
        # Two scans of one number of IXI are one person.
        (["IXI002-Guys-0828", "IXI002-HH-0829"], ["2", "12"], ["2", "2"]),
        (["IXI002-Guys-0828"], ["2.0"], ["2.0"]),
        (["IXI002-Guys-0828"], ["IXI2"], ["IXI2"]),
        (["IXI002-Guys-0828"], ["IXI002-Guys-0828", "2"], ["IXI002-Guys-0828"]),
        (["sub-01", "sub-10"], ["10", "1"], ["1", "10"]),
        (["sub-01", "02"], ["sub-1", "sub-002"], ["sub-1", "sub-002"]),
        (["sub-A01", "Utrecht_0"], ["a1", "utrecht_00"], ["a1", "utrecht_00"]),
        # The exact name goes first; what could be two subjects' or two rows' is nobody's.
        (["sub-1", "sub-01"], ["01", "1"], ["1", "01"]),
        (["sub-1", "sub-01"], ["1"], ["1", None]),
        (["sub-1", "sub-01"], ["001"], [None, None]),
        (["sub-01"], ["1", "001"], [None]),
        (["sub-01"], ["01", "1"], ["01"]),
        # Numbers within a longer name are no name.
        (["patient01", "sub-con01"], ["1", "01"], [None, None]),
    ],
)
def test_rows_are_found_by_name(names, rows, expected):
    assert matched(names, rows)[0] == expected


def test_remarks_on_rows_and_subjects():
    assert matched(["sub-01", "02"], ["sub-1", "2"])[1] == []
    assert matched(["sub-01", "sub-02"], ["7", "8", "9"])[1] == [
        "people.tsv: none of its 3 rows names a subject (7 ...; subjects are called sub-01 ...)"
    ]
    assert matched(["sub-01", "sub-02", "a"], ["1", "7"])[1] == [
        "people.tsv: has no row for 2 of the subjects (sub-02, a)",
        "people.tsv: has rows for 1 who are not subjects (7)",
    ]
    assert matched(["sub-1", "sub-01", "a"], ["001", "a"])[1][0] == (
        "people.tsv: 001 may be of several subjects, or of the same one: not used"
    )


def test_the_data_set_itself_is_believed_first():
    people = Demographics("people.tsv", 1, {"1": Person(age=2.0, site="Leeds")})
    (raw,), _ = with_demographics([RawSubject("1", {}, site="Guys")], people)
    assert (raw.age, raw.site) == (2.0, "Guys")


def test_table_that_names_nobody_is_in_log_and_remarks(tmp_path, capsys):
    make_brats21(tmp_path / "raw")
    (tmp_path / "raw" / "people.tsv").write_text("participant_id\tage\n4\t50\n5\t60\n")
    table = listed(tmp_path, "brats21", demographics="people.tsv")
    assert table["age"].isna().all()
    line = (
        f"{tmp_path / 'raw' / 'people.tsv'}: none of its 2 rows names a subject "
        "(4 ...; subjects are called BraTS2021_00000 ...)"
    )
    assert line in capsys.readouterr().out.splitlines()
    assert tables.read_table(tmp_path / "remarks.tsv")["remark"].tolist() == [line]
    # Without a table there is nothing to remark.
    listed(tmp_path, "brats21")
    assert tables.read_table(tmp_path / "remarks.tsv").empty


def people_in(path, text):
    path.write_text(text, encoding="utf-8")
    return read_demographics(path).people


@pytest.mark.parametrize(
    ("cell", "age"),
    [
        *[("45", 45), ("45.5", 45.5), (" 45,5 ", 45.5), ("120", 120), ("45.", 45)],
        *[("89+", 89), (">89", 89), ("≥ 89", 89), (">=89", 89), ("90 +", 90)],
        *[("045Y", 45), ("45 years old", 45), ("45 yrs", 45), ("45y/o", 45)],
        *[("018M", 1.5), ("6 months", 0.5), ("1461D", 4), ("10 weeks", 70 / 365.25)],
        *[(cell, None) for cell in ("-1", "0", "999", "121", "inf", "1e1", "400Y", "20-25", "<18")],
        *[(cell, None) for cell in ("", "45 45", "45,5,5", "1970-02-07", "adult", "Y", "+")],
    ],
)
def test_ages(cell, age):
    assert age_of(cell) == age


def test_ages_that_are_none_are_in_the_log(tmp_path, capsys):
    text = "participant_id,age\na,999\nb,-1\nc,n/a\nd,unknown\ne,540\nf,600\ng,89+\nh,\n"
    ages = {name: person.age for name, person in people_in(tmp_path / "a.csv", text).items()}
    assert ages == {**dict.fromkeys("abcdefh"), "g": 89}
    assert (
        f"{tmp_path / 'a.csv'}: 4 of 5 cells of 'age' are no age above 0 and up to 120 years "
        "(999, -1, 540 ...): unknown"
    ) in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("participant_id,age,gender", "a,34,Woman", Person(34, "f")),
        ("Subject ID,age_at_scan,SITE_ID", "a,34,Leeds", Person(34, None, "Leeds")),
        ("ID,Age (years),Sex (M/F)", "a,34,M", Person(34, "m")),
        ("sub,Age at MRI [yrs],Biological sex", "a,34,Male", Person(34, "m")),
        ("PatientID,PatientAge,PatientSex", "a,034Y,F", Person(34, "f")),
        ("subject,age_in_months,sex", "a,18,n/a", Person(1.5)),
        ("subject,Age (days),gender (0=female; 1=male)", "a,1461,1.0", Person(4, "m")),
        ("subject,AGE,sex (M=1 F=2)", "a,34,2", Person(34, "f")),
        ("BIDS ID,Age in years at scan,M/F", "a,34,F", Person(34, "f")),
        ("PTID,age_months_at_mri,Sex assigned at birth", "a,18,M", Person(1.5, "m")),
        ("record_id,participant_label,age,institution", "7,a,34,Leeds", Person(34, site="Leeds")),
        ("BraTS21ID,Age when scanned (yrs)", "a,34", Person(34)),
        # Codes that nothing explains, and ages at another time or of groups.
        ("subject,age_group,sex", "a,3,1", Person()),
        ("subject,age_at_onset,AgeAtDeath,sites", "a,34,70,2", Person()),
        # The plain name goes before others, what has values before what has none.
        ("subject,age_at_scan,age", "a,35,34", Person(34)),
        ("subject,age,age_at_scan", "a,n/a,35", Person(35)),
        ("subject,site,hospital", "a,N/A,Guys", Person(site="Guys")),
    ],
)
def test_columns_as_they_are_called(tmp_path, columns, cells, expected):
    assert people_in(tmp_path / "people.csv", f"{columns}\n{cells}\n") == {"a": expected}


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("subject,age,age", ["a,34,", "b,35,"]),
        ("subject,AGE,Age", ["a,,34", "b,,35"]),
        ("subject,age,Age ", ["a,n/a,34", "b,-,35"]),
        ("subject,age,age,AGE", ["a,34,34,", "b,35,35,"]),
        ("subject,Subject,age", ["a,,34", "b,,35"]),
        ("subject,note,note,age", ["a,x,y,34", "b,x,z,35"]),
    ],
)
def test_doubled_columns(tmp_path, columns, rows):
    text = "\n".join([columns, *rows]) + "\n"
    assert people_in(tmp_path / "a.csv", text) == {"a": Person(34), "b": Person(35)}
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for number, row in enumerate([columns, *rows]):
        for column, value in enumerate(row.split(",")):
            sheet.write(number, column, float(value) if value.isdigit() else value)
    book.save(str(tmp_path / "a.xls"))
    assert read_demographics(tmp_path / "a.xls").people == {"a": Person(34), "b": Person(35)}


@pytest.mark.parametrize("columns", ["subject,age,Age ", "subject,age,age"])
def test_doubled_columns_that_differ(tmp_path, columns):
    with pytest.raises(SettingsError, match=r"a\.csv: has two columns 'age' and '[Aa]ge'"):
        people_in(tmp_path / "a.csv", f"{columns}\na,34,\nb,,35\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "subject;age;site\na;34,5;Leeds\nb;;York\n"),
        ("a.csv", "subject\tage\tsite\na\t34.5\tLeeds\nb\t\tYork\n"),
        ("a.csv", "\ufeffsubject,age,site\r\na,34.5,Leeds\r\n\r\nb,,York\r\n,,\r\n"),
        ("a.csv", 'subject, age, site\n"a", "34,5", "Leeds"\nb, , York\n'),
        ("a.csv", "subject,age,site,\na,34.5,Leeds,\nb,,York,\n,\n"),
        ("a.csv", ",subject,age,site\n1,a,34.5,Leeds\n2,b,,York\n"),
        ("a.csv", 'subject;"SEX; of old";age;site\na;;34,5;Leeds\nb;;;York'),
        ("a.tsv", "\n  \nsubject\tage\tsite\na\t34.5\tLeeds\nb\t\tYork\n\t\n"),
        ("a.tsv", 'note\tsubject\tage\tsite\n5" coil\ta\t34.5\tLeeds\n"x\tb\t\tYork\n'),
        ("a.tsv", "subject\tage\tsite\ra\t34.5\tLeeds\rb\t\tYork\r"),
        ("a.csv", "subject,age,site\ra,34.5,Leeds\rb,,York\r"),
        # The name of a column has more commas than the header semicolons.
        ("a.csv", "subject;age;site;sex (1=m, 2=f, 3=x, 4=y)\na;34,5;Leeds;\nb;;York;\n"),
    ],
)
def test_tables_as_they_are_saved(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    people = read_demographics(tmp_path / name).people
    assert people == {"a": Person(34.5, site="Leeds"), "b": Person(site="York")}


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.tsv", "subject\tage\na\t34\t\n", "row 2 has 3 cells, the header 2"),
        ("a.tsv", "subject\tage\t\na\t34\nb\t35\n", "row 2 has 2 cells, the header 3"),
        ("a.csv", "subject,age,sex\na,34,m,\nb,35,f,\n", "row 2 has 4 cells, the header 3"),
        ("a.csv", "subject,age,sex\na,34,m\n\nb,35,5,f\n", "row 4 has 4 cells, the header 3"),
        ("a.csv", "subject,age,sex\na,34,m\nb\n", "row 3 has 1 cell, the header 3"),
        # A separator behind the header, and decimal commas in the rows.
        ("a.csv", "subject,age,sex,\na,34,5,m\n", "row 2 has 'm' in a column without a name"),
        ("a.tsv", "subject\t\tage\na\t\t34\nb\t35\t\n", "row 3 has '35' in a column without"),
        ("a.csv", "# made by me\nsubject,age\na,34\n", "row 2 has 2 cells, the header 1"),
        ("a.csv", 'subject,age\na,"34\nb,35\n', "is not a table that can be read"),
        ("a.csv", 'subject,age\n"a,34\n"b,35\n', "is not a table that can be read"),
        ("a.csv", " \n\n", "is not a table that can be read (it is empty)"),
    ],
)
def test_rows_that_do_not_fit_the_header(tmp_path, name, text, line):
    with pytest.raises(SettingsError) as raised:
        people_in(tmp_path / name, text)
    assert str(raised.value).startswith(f"{tmp_path / name}: {line}")
    assert "\n" not in str(raised.value)


def test_note_next_to_the_table_of_a_spreadsheet(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for row, cells in enumerate([("subject", "age"), ("a", 34, "asked again"), ("b", 35)]):
        for column, value in enumerate(cells):
            sheet.write(row, column, value)
    book.save(str(tmp_path / "a.xls"))
    assert read_demographics(tmp_path / "a.xls").people == {"a": Person(34), "b": Person(35)}


def test_errors_in_a_spreadsheet_are_no_ages(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for row, cells in enumerate([("subject", "age"), ("a", 34)]):
        for column, value in enumerate(cells):
            sheet.write(row, column, value)
    sheet.write(2, 0, "b")
    # The file holds a 7 for it.
    sheet.row(2).set_cell_error(1, "#DIV/0!")
    book.save(str(tmp_path / "a.xls"))
    assert read_demographics(tmp_path / "a.xls").people == {"a": Person(34), "b": Person()}


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("IXI.xls", b"<html>please log in</html>", "is not a table that can be read"),
        ("IXI.xls", b"", "is not a table that can be read"),
        ("people.csv", b"", "is not a table that can be read"),
        ("people.csv", "subject,ä".encode("latin-1"), "is not a table that can be read"),
        ("people.xlsx", b"PK", "is not .xls, .csv or .tsv; save the table as CSV"),
        ("people.csv", b"name;age\n1;2\n", "neither a column subject nor participant_id"),
        ("people.csv", b"age\n2\n", "neither a column subject nor participant_id"),
        ("people.csv", None, "the file does not exist"),
        ("people.tsv", LFS_POINTER, "is a pointer of git-lfs; get its content first"),
    ],
)
def test_table_that_cannot_be_used_is_one_line(tmp_path, name, content, line):
    make_ixi(tmp_path / "raw")
    if content is not None:
        (tmp_path / "raw" / name).write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        listed(tmp_path, "ixi", demographics=name)
    assert str(raised.value).startswith(f"own_name: {tmp_path / 'raw' / name}: ")
    assert line in str(raised.value) and "\n" not in str(raised.value)


def test_table_whose_content_git_annex_has_not_fetched(tmp_path):
    write_tree(tmp_path / "raw", ["sub-01/anat/sub-01_T1w.nii.gz"])
    table = tmp_path / "raw" / "participants.tsv"
    table.symlink_to(f".git/annex/objects/Xk/2p/{ANNEX_KEY}/{ANNEX_KEY}")
    with pytest.raises(SettingsError, match=r"participants\.tsv: is a pointer of git-annex"):
        listed(tmp_path, "bids", lesions=False)


def test_truncated_spreadsheet(tmp_path):
    write_ixi_xls(tmp_path / "IXI.xls")
    whole = (tmp_path / "IXI.xls").read_bytes()
    for size in (600, 1500, len(whole) - 900):
        (tmp_path / "IXI.xls").write_bytes(whole[:size])
        with pytest.raises(SettingsError, match="is not a table that can be read"):
            read_spreadsheet(tmp_path / "IXI.xls")


def test_spreadsheet_saved_by_excel(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffsubject , age\r\n007,5\r\nNé,6\r\n".encode())
    table = read_spreadsheet(path)
    assert table.columns.tolist() == ["subject", "age"]
    assert table["subject"].tolist() == ["007", "Né"]
