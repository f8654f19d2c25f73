"""Age, sex and site from spreadsheets, as they come and as users write them."""

import pandas as pd
import pytest
import xlwt
from test_sources import listed, make_brats21, make_ixi

from brainuad.demographics import Person, read_demographics, read_spreadsheet, with_demographics
from brainuad.errors import SettingsError
from brainuad.sources import RawSubject

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
        "BraTS2021_00001\t89+\to\t\tx\n"
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


def test_rows_are_found_by_name():
    people = {
        "01": Person(age=1.0),
        "IXI002": Person(age=2.0, site="Leeds"),
        "x-1": Person(age=3.0),
    }
    names = ["sub-01", "IXI002-Guys-0828", "IXI0021-HH-1", "x-1-2"]
    subjects = [RawSubject(name, {}, site="Guys" if "Guys" in name else None) for name in names]
    described = with_demographics(subjects, people)
    assert [raw.age for raw in described] == [1.0, 2.0, None, None]
    # What the data set itself says is kept.
    assert described[1].site == "Guys"


def test_ages_that_are_none(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("participant_id,age\na,-1\nb,0\nc,inf\nd,n/a\ne, 45.5 \nf,unknown\n")
    ages = {name: person.age for name, person in read_demographics(path).items()}
    assert ages == {**dict.fromkeys("abcdf"), "e": 45.5}


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("IXI.xls", b"<html>please log in</html>", "is no table that can be read"),
        ("IXI.xls", b"", "is no table that can be read"),
        ("people.csv", b"", "is no table that can be read"),
        ("people.csv", "subject,ä".encode("latin-1"), "is no table that can be read"),
        ("people.xlsx", b"PK", "is no .xls, .csv or .tsv; save the table as CSV"),
        ("people.csv", b"name;age\n1;2\n", "neither a column subject nor participant_id"),
        ("people.csv", b"IXI_ID,AGE\n1,2\n", "has no column 'SEX_ID (1=m, 2=f)'"),
        ("people.csv", None, "the file does not exist"),
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


def test_truncated_spreadsheet(tmp_path):
    write_ixi_xls(tmp_path / "IXI.xls")
    whole = (tmp_path / "IXI.xls").read_bytes()
    for size in (600, 1500, len(whole) - 900):
        (tmp_path / "IXI.xls").write_bytes(whole[:size])
        with pytest.raises(SettingsError, match="is no table that can be read"):
            read_spreadsheet(tmp_path / "IXI.xls")


def test_spreadsheet_saved_by_excel(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffsubject , age\r\n007,5\r\nNé,6\r\n".encode())
    table = read_spreadsheet(path)
    assert table.columns.tolist() == ["subject", "age"]
    assert table["subject"].tolist() == ["007", "Né"]
