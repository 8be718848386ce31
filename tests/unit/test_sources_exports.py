"""Sources as hospitals, competitions and collections export them: dialects, sheets, splits, archives, masks, patients.

Each must come in whole: every text to its last word, on the right image, in the right split, of the right patient.
"""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from radtui.sources.identity_columns import Identity, identity_of_column
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import PNGS, Brief, Files, brief, opened, pictures, told
from tests.unit.test_sources_trees import CLEAR, WIDE, packed_tar, packed_zip, parquet


@dataclass
class Export:
    """Files, and what must come of them: cases, patients in their order, facts of each, and what must be named."""

    files: Files
    cases: list[Brief]
    patients: Sequence[str] = ()
    says: Sequence[str] = ()
    facts: Sequence[dict[str, str]] = field(default_factory=list)


EXPORTS: dict[str, Export] = {}


def v(
    name: str, files: Files, cases: list[Brief], patients: Sequence[str] = (), says: Sequence[str] = (),
    facts: Sequence[dict[str, str]] = (),
) -> None:  # fmt: skip
    """Add an export to be tried."""
    EXPORTS[name] = Export(files, cases, patients, says, facts)


def xlsx(sheets: Iterable[Sequence[Any]]) -> bytes:
    """A workbook of sheets: a name, rows, and ranges of merged cells."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows, *merged in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cells in merged[0] if merged else ():
            sheet.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csvb(rows: Iterable[Sequence[str]], encoding: str = "utf-8", **dialect: Any) -> bytes:
    """A table as Python's csv writes it."""
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows(rows)
    return out.getvalue().encode(encoding)


# fmt: off
A, B = (("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")
P = pictures("a.png", "b.png")
# CSV dialects / encodings.
v("utf8-bom semicolon decimal comma", {**P, "t.csv": csvb([["image","befund","dosis"],["a.png",CLEAR,"1,25"],["b.png",WIDE,"0,5"]],"utf-8-sig",delimiter=";")}, [A,B], facts=[{"dosis":"1,25"},{"dosis":"0,5"}])
v("utf16 with bom tabs (Excel Unicode text)", {**P, "t.txt": csvb([["image","report","split"],["a.png",CLEAR,"train"],["b.png",WIDE,"test"]],"utf-16",delimiter="\t")}, [A,(B[0],"",WIDE,"test")])
v("cp1250 czech semicolon", {**P, "t.csv": csvb([["soubor","nález"],["a.png","Srdce nezvětšené, plíce čisté, žádný výpotek."],["b.png","Výpotek vpravo; příčka širší."]],"cp1250",delimiter=";")}, [(("a.png",),"","Srdce nezvětšené, plíce čisté, žádný výpotek.","train"),(("b.png",),"","Výpotek vpravo; příčka širší.","train")])
v("cp1252 with euro and smart quotes", {**P, "t.csv": "image;rapport\r\na.png;L\u2019\u00e9panchement est \u00e0 gauche \u2013 c\u0153ur normal.\r\nb.png;Pas d\u2019\u00e9panchement, pas de pneumothorax.\r\n".encode("cp1252")}, [(("a.png",),"","L\u2019\u00e9panchement est \u00e0 gauche \u2013 c\u0153ur normal.","train"),(("b.png",),"","Pas d\u2019\u00e9panchement, pas de pneumothorax.","train")])
v("shift-jis", {**P, "t.csv": csvb([["画像","所見"],["a.png","両肺野に異常陰影を認めない。"],["b.png","右胸水を認める。心拡大あり。"]],"shift_jis")}, [(("a.png",),"","両肺野に異常陰影を認めない。","train"),(("b.png",),"","右胸水を認める。心拡大あり。","train")])
v("euc-kr", {**P, "t.csv": csvb([["파일명","판독문"],["a.png","양측 폐야에 활동성 병변이 없음."],["b.png","우측 흉수가 관찰됨."]],"cp949")}, [(("a.png",),"","양측 폐야에 활동성 병변이 없음.","train"),(("b.png",),"","우측 흉수가 관찰됨.","train")])
v("big5", {**P, "t.csv": csvb([["檔名","報告"],["a.png","兩側肺野清晰，無明顯浸潤。"],["b.png","右側肋膜積液，心臟擴大。"]],"big5")}, [(("a.png",),"","兩側肺野清晰，無明顯浸潤。","train"),(("b.png",),"","右側肋膜積液，心臟擴大。","train")])
v("quoted newlines with CRLF and blank line in the text", {**P, "t.csv": csvb([["image","report"],["a.png","FINDINGS:\r\nClear, no effusion.\r\n\r\nIMPRESSION:\r\nNormal; see above."],["b.png",WIDE]])}, [(("a.png",),"","FINDINGS:\r\nClear, no effusion.\r\n\r\nIMPRESSION:\r\nNormal; see above.","train"),B])
v("pandas index column unnamed", {**P, "t.csv": f',image,report\n0,a.png,"{CLEAR}"\n1,b.png,{WIDE}\n'}, [A,B])
v("two unnamed index columns", {**P, "t.csv": f'Unnamed: 0.1,Unnamed: 0,image,report\n0,0,a.png,"{CLEAR}"\n1,1,b.png,{WIDE}\n'}, [A,B])
v("spaces after delimiters", {**P, "t.csv": f'image, report, split\na.png, "{CLEAR}", train\nb.png, "{WIDE}", test\n'}, [A,(B[0],"",WIDE,"test")])
v("single quotes", {**P, "t.csv": f"image;report\n'a.png';'{CLEAR}'\n'b.png';'{WIDE}'\n"}, [A,B])
v("all quoted with trailing delimiter", {**P, "t.csv": f'"image";"report";\n"a.png";"{CLEAR}";\n"b.png";"{WIDE}";\n'}, [A,B])
v("old mac line ends", {**P, "t.csv": f'image,report\ra.png,"{CLEAR}"\rb.png,{WIDE}\r'}, [A,B])
v("pipe delimited txt", {**P, "labels.txt": f"image|report\na.png|{CLEAR}\nb.png|{WIDE}\n"}, [A,B])
v("header in capitals with units", {**P, "t.csv": f'IMAGE FILE,REPORT TEXT (EN),Age [years]\na.png,"{CLEAR}",61\nb.png,{WIDE},45\n'}, [A,B])
# Split columns.
v("split column 0/1 called is_train", {**P, "t.csv": f'image,report,is_train\na.png,"{CLEAR}",1\nb.png,{WIDE},0\n'}, [A,(B[0],"",WIDE,"test")])
v("split column train/dev", {**P, "t.csv": f'image,report,fold\na.png,"{CLEAR}",train\nb.png,{WIDE},dev\n'}, [A,(B[0],"",WIDE,"validation")])
v("split column 'train_val_test' words", {**P, "t.csv": f'image,report,dataset\na.png,"{CLEAR}",Training\nb.png,{WIDE},Testing\n'}, [A,(B[0],"",WIDE,"test")])
v("split column test 0/1 beside train 0/1", {**P, "t.csv": f'image,report,train,valid,test\na.png,"{CLEAR}",1,0,0\nb.png,{WIDE},0,1,0\n'}, [A,(B[0],"",WIDE,"validation")])
v("split by boolean words", {**P, "t.csv": f'image,report,in_test_set\na.png,"{CLEAR}",False\nb.png,{WIDE},True\n'}, [A,(B[0],"",WIDE,"test")])
v("split column in Spanish", {**P, "t.csv": f'imagen,informe,particion\na.png,"{CLEAR}",entrenamiento\nb.png,{WIDE},prueba\n'}, [A,(B[0],"",WIDE,"test")])
v("split column in German", {**P, "t.csv": f'Bild;Befund;Datensatz\na.png;{CLEAR}\n'.replace(f";{CLEAR}\n", f';"{CLEAR}";Training\n')+f'b.png;"{WIDE}";Test\n'}, [A,(B[0],"",WIDE,"test")])
v("train1 train2 test folders", {**pictures("train_1/a.png","train_2/b.png","test_1/c.png"), "train_1/a.txt":CLEAR,"train_2/b.txt":WIDE,"test_1/c.txt":CLEAR}, [A,B,(("c.png",),"",CLEAR,"test")])
v("Training Validation Testing folders with spaces", {**pictures("Training Set/a.png","Validation Set/b.png","Testing Set/c.png"), "Training Set/a.txt":CLEAR,"Validation Set/b.txt":WIDE,"Testing Set/c.txt":CLEAR}, [A,(B[0],"",WIDE,"validation"),(("c.png",),"",CLEAR,"test")])
v("split tables in folder splits", {**pictures("images/a.png","images/b.png"), "reports.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n', "splits/train.csv":"image\na.png\n","splits/test.csv":"image\nb.png\n"}, [A,(B[0],"",WIDE,"test")])
v("splits in a json of lists", {**pictures("images/a.png","images/b.png"), "reports.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n', "splits.json":json.dumps({"train":["a.png"],"val":[],"test":["b.png"]})}, [A,(B[0],"",WIDE,"test")])
# Excel.
v("xlsx several sheets", {**P, "reports.xlsx": xlsx([("Readme",[["This workbook has the reports"],["Contact: nobody"]]),("Reports",[["Image","Report","Split"],["a.png",CLEAR,"train"],["b.png",WIDE,"test"]])])}, [A,(B[0],"",WIDE,"test")])
v("xlsx merged title row", {**P, "reports.xlsx": xlsx([("S",[["Radiology reports 2021",None,None],["Image","Report","Date"],["a.png",CLEAR,dt.date(2021,3,4)],["b.png",WIDE,dt.datetime(2021,3,5,10,20)]],["A1:C1"])])}, [A,B])
v("xlsx numbers as image names", {**pictures("1001.png","1002.png"), "reports.xlsx": xlsx([("S",[["ID","Report"],[1001,CLEAR],[1002.0,WIDE]])])}, [(("1001.png",),"",CLEAR,"train"),(("1002.png",),"",WIDE,"train")])
v("xlsx a sheet per split", {**P, "reports.xlsx": xlsx([("train",[["image","report"],["a.png",CLEAR]]),("test",[["image","report"],["b.png",WIDE]])])}, [A,(B[0],"",WIDE,"test")])
v("xlsx empty rows and columns before", {**P, "reports.xlsx": xlsx([("S",[[None,None,None],[None,"image","report"],[None,"a.png",CLEAR],[None,None,None],[None,"b.png",WIDE]])])}, [A,B])
v("xlsx two header rows merged", {**P, "reports.xlsx": xlsx([("S",[["Image",None,"Report",None],["file","view","findings","impression"],["a.png","PA",CLEAR,"Normal heart."],["b.png","AP",WIDE,"Wide."]],["A1:B1","C1:D1"])])}, [(("a.png",),"",f"Findings: {CLEAR}\nImpression: Normal heart.","train"),(("b.png",),"",f"Findings: {WIDE}\nImpression: Wide.","train")])
# Archives.
v("macosx and resource forks in zip", {"all.zip": packed_zip({"set/a.png":PNGS[0],"set/b.png":PNGS[1],"set/t.csv":f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n',"__MACOSX/set/._a.png":b"\0\5\x16\7junk","set/.DS_Store":b"x","set/Thumbs.db":b"y"})}, [A,B])
v("._ files and Thumbs.db in a folder", {**P, "t.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n', "._a.png": b"\0\5\x16\7", "Thumbs.db": b"x", "desktop.ini":"[x]"}, [A,B])
v("tar.gz shards with json", {f"train-0000{n}.tar.gz": packed_tar({f"s{n}.png":PNGS[n],f"s{n}.json":json.dumps({"caption":t})},"w:gz") for n,t in ((0,CLEAR),(1,WIDE))}, [(("s0.png",),"",CLEAR,"train"),(("s1.png",),"",WIDE,"train")])
v("tar with pax and ./ prefix", {"d.tar": packed_tar({"./img/a.png":PNGS[0],"./img/b.png":PNGS[1],"./t.csv":f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n'})}, [A,B])
v("zip per split", {"train.zip": packed_zip({"a.png":PNGS[0],"a.txt":CLEAR}),"valid.zip":packed_zip({"b.png":PNGS[1],"b.txt":WIDE})}, [A,(B[0],"",WIDE,"validation")])
v("images zip parts and csv", {"images_001.zip": packed_zip({"images/a.png":PNGS[0]}),"images_002.zip":packed_zip({"images/b.png":PNGS[1]}),"Data_Entry.csv":f'Image Index,Report\na.png,"{CLEAR}"\nb.png,{WIDE}\n'}, [A,B])
# Masks, augmentations, duplicates.
v("masks folder beside images", {**pictures("images/a.png","images/b.png","masks/a.png","masks/b.png"), "t.csv": f'image,report\nimages/a.png,"{CLEAR}"\nimages/b.png,{WIDE}\n'}, [A,B], says=("masks",))
v("mask suffix beside images, names only", {**pictures("CXR/a.png","CXR/b.png","mask/a_mask.png","mask/b_mask.png"), "t.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n'}, [A,B], says=("mask",))
v("masks with the same names and bare names in table", {**pictures("images/a.png","images/b.png","masks/a.png","masks/b.png"), "t.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n'}, [A,B], says=("masks",))
v("columns image and mask", {**pictures("images/a.png","images/b.png","masks/a.png","masks/b.png"), "t.csv": f'image,mask,report\nimages/a.png,masks/a.png,"{CLEAR}"\nimages/b.png,masks/b.png,{WIDE}\n'}, [A,B])
v("kaggle train.csv and sample_submission", {**pictures("train/a.png","train/b.png","test/c.png"), "train.csv": f'image_id,report\na,"{CLEAR}"\nb,{WIDE}\n', "sample_submission.csv":"image_id,report\nc,\n"}, [A,B,(("c.png",),"","","test")])
# HF.
v("imagefolder metadata per split", {**pictures("train/a.png","test/b.png"), "train/metadata.csv": f'file_name,text\na.png,"{CLEAR}"\n',"test/metadata.csv":f"file_name,text\nb.png,{WIDE}\n"}, [A,(B[0],"",WIDE,"test")])
v("hf data dir parquet in config folders", {"default/train-00000-of-00001.parquet": parquet([{"image":{"bytes":PNGS[0],"path":"a.png"},"text":CLEAR}]),"default/validation-00000-of-00001.parquet":parquet([{"image":{"bytes":PNGS[1],"path":"b.png"},"text":WIDE}]),"README.md":"---\nlicense: mit\n---\n"}, [A,(B[0],"",WIDE,"validation")])
v("hf image caption chatml", {**P, "train.jsonl": "".join(json.dumps({"id":n,"image":f,"messages":[{"role":"user","content":[{"type":"image"},{"type":"text","text":"Report?"}]},{"role":"assistant","content":[{"type":"text","text":t}]}]})+"\n" for n,(f,t) in enumerate((("a.png",CLEAR),("b.png",WIDE))))}, [(("a.png",),"Report?",CLEAR,"train"),(("b.png",),"Report?",WIDE,"train")])
v("jsonl image nested object", {**P, "d.jsonl": "".join(json.dumps({"image":{"path":f,"width":8},"report":{"text":t}})+"\n" for f,t in (("a.png",CLEAR),("b.png",WIDE)))}, [A,B])
v("json with data key", {**P, "d.json": json.dumps({"version":"1.0","data":[{"img":"a.png","caption":CLEAR},{"img":"b.png","caption":WIDE}]})}, [A,B])
v("json columns orient", {**P, "d.json": json.dumps({"image":{"0":"a.png","1":"b.png"},"report":{"0":CLEAR,"1":WIDE}})}, [A,B])
v("json utf-8 bom", {**P, "d.json": ("\ufeff"+json.dumps([{"image":"a.png","report":CLEAR},{"image":"b.png","report":WIDE}])).encode()}, [A,B])
v("jsonl utf-16", {**P, "d.jsonl": "".join(json.dumps({"image":f,"report":t})+"\n" for f,t in (("a.png",CLEAR),("b.png",WIDE))).encode("utf-16")}, [A,B])
v("ndjson suffix", {**P, "d.ndjson": "".join(json.dumps({"image":f,"report":t})+"\n" for f,t in (("a.png",CLEAR),("b.png",WIDE)))}, [A,B])
v("jsonl gz", {**P, "d.jsonl.gz": gzip.compress("".join(json.dumps({"image":f,"report":t})+"\n" for f,t in (("a.png",CLEAR),("b.png",WIDE))).encode())}, [A,B])
# Patients.
v("patients by folder PAT001", {**pictures("PAT001/a.png","PAT002/b.png"), "PAT001/a.txt":CLEAR,"PAT002/b.txt":WIDE}, [A,B], patients=["PAT001","PAT002"])
v("patients from column Subject", {**P, "t.csv": f'Subject,image,report\nS1,a.png,"{CLEAR}"\nS2,b.png,{WIDE}\n'}, [A,B], patients=["S1","S2"])
v("patient column in French", {**P, "t.csv": f'fichier;compte_rendu;n° patient\na.png;"{CLEAR}";12\nb.png;"{WIDE}";13\n'}, [A,B], patients=["12","13"])
v("patient column in Italian and Portuguese", {**P, "t.csv": f'immagine;referto;codice_paziente\na.png;"{CLEAR}";12\nb.png;"{WIDE}";13\n'}, [A,B], patients=["12","13"])
# Hospital exports.
v("RIS export titles german", {**P, "export.csv": csvb([["Auswertung Röntgen 2020"],[],["Dateiname","Untersuchung","Befund","Beurteilung","PatNr"],["a.png","Rö Thorax",CLEAR,"Normal, altersentsprechend.","17"],["b.png","Rö Hüfte",WIDE,"Gelenk ok.","18"]],"cp1252",delimiter=";")}, [(("a.png",),"",f"Befund: {CLEAR}\nBeurteilung: Normal, altersentsprechend.","train"),(("b.png",),"",f"Befund: {WIDE}\nBeurteilung: Gelenk ok.","train")], patients=["17","18"])
v("report and image joined by accession", {**pictures("img/ACC1/1.png","img/ACC2/1.png"), "reports.csv": f'accession_number,report\nACC1,"{CLEAR}"\nACC2,{WIDE}\n'}, [(("1.png",),"",CLEAR,"train"),(("1.png",),"",WIDE,"train")])
v("image list and report tables with different key names", {**pictures("i/a.png","i/b.png"), "images.csv":"filename,study_id\na.png,7\nb.png,8\n","reports.csv":f'StudyID,Report\n7,"{CLEAR}"\n8,{WIDE}\n'}, [A,B])
v("reports with html", {**P, "t.csv": f'image,report\na.png,"<p>Clear lungs,&nbsp;no effusion.</p>"\nb.png,{WIDE}\n'}, [(("a.png",),"","Clear lungs, no effusion.","train"),B], says=("HTML or RTF",))
v("duplicate images under two names", {"a.png":PNGS[0],"a_copy.png":PNGS[0],"t.csv":f'image,report\na.png,"{CLEAR}"\na_copy.png,"{CLEAR}"\n'}, [A,(("a_copy.png",),"",CLEAR,"train")])
v("question in Spanish VQA", {**P, "vqa.csv": "imagen,pregunta,respuesta\na.png,¿Qué lado?,Izquierdo\nb.png,¿Hay derrame?,No\n"}, [(("a.png",),"¿Qué lado?","Izquierdo","train"),(("b.png",),"¿Hay derrame?","No","train")])
v("list of answers VQA in jsonl", {**P, "vqa.jsonl": json.dumps({"image":"a.png","conversations":[{"from":"human","value":"<image>\nSide?"},{"from":"gpt","value":"Left"}]})+"\n"+json.dumps({"image":"b.png","conversations":[{"from":"human","value":"Effusion?\n<image>"},{"from":"gpt","value":"No"}]})+"\n"}, [(("a.png",),"Side?","Left","train"),(("b.png",),"Effusion?","No","train")])
v("captions.txt comma with header flickr8k kaggle", {**pictures("Images/a.png","Images/b.png"), "captions.txt": f"image,caption\na.png,No pneumothorax , but a large left effusion .\nb.png,{WIDE}\n"}, [(("a.png",),"","No pneumothorax , but a large left effusion .","train"),B])
v("texts with UTF-16 beside images", {**P, "a.txt": CLEAR.encode("utf-16"), "b.txt": WIDE.encode("utf-8-sig")}, [A,B])
v("report docx named", {**P, "a.docx": b"PK\3\4xx", "b.docx": b"PK\3\4xx"}, [(("a.png",),"","","train"),(("b.png",),"","","train")], says=("Word document",))
v("yaml and py files named", {**P, "t.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n', "data.yaml":"train: images\n","make.py":"print(1)\n"}, [A,B], says=("data.yaml","make.py"))
v("yolo labels beside images", {**pictures("images/train/a.png","images/val/b.png"), "labels/train/a.txt":"0 0.5 0.5 0.1 0.1\n","labels/val/b.txt":"1 0.4 0.4 0.2 0.2\n","data.yaml":"nc: 2\n"}, [(("a.png",),"","","train"),(("b.png",),"","","validation")])
v("voc xml beside images named", {**pictures("JPEGImages/a.png"), "Annotations/a.xml":"<annotation><filename>a.png</filename></annotation>"}, [(("a.png",),"","","train")], says=("a.xml",))
v("roboflow coco json per split", {**pictures("train/a.png","valid/b.png"), "train/_annotations.coco.json":json.dumps({"images":[{"id":0,"file_name":"a.png"}],"annotations":[{"id":0,"image_id":0,"category_id":1,"bbox":[1,1,2,2]}],"categories":[{"id":1,"name":"nodule"}]}),"valid/_annotations.coco.json":json.dumps({"images":[{"id":0,"file_name":"b.png"}],"annotations":[],"categories":[]})}, [(("a.png",),"","","train"),(("b.png",),"","","validation")])
v("tsv with bom and CR in cells", {**P, "t.tsv": csvb([["image","report"],["a.png",CLEAR],["b.png",WIDE]],"utf-8-sig",delimiter="\t")}, [A,B])
v("multi captions five per image tsv", {**P, "caps.tsv": f"a.png\t{CLEAR}\na.png\tSecond caption of a film.\nb.png\t{WIDE}\n"}, [A,(("a.png",),"","Second caption of a film.","train"),B])
v("prompt column beside report", {**P, "t.csv": f'image,prompt,report\na.png,Describe the film.,"{CLEAR}"\nb.png,Describe the film.,{WIDE}\n'}, [(("a.png",),"Describe the film.",CLEAR,"train"),(("b.png",),"Describe the film.",WIDE,"train")])
v("dates as ISO and names of sex", {**P, "t.csv": f'image,report,sex,acquired\na.png,"{CLEAR}",M,2020-01-02\nb.png,{WIDE},F,2020-02-03\n'}, [A,B])
v("NBSP and trailing spaces in names", {**P, "t.csv": f'image ,report\u00a0\n a.png ,"{CLEAR}"\nb.png\u00a0,{WIDE}\n'}, [A,B])
v("url encoded and query", {**pictures("img/a b.png","img/c.png"), "t.csv": f'url,caption\nhttps://x.org/img/a%20b.png?raw=1,"{CLEAR}"\nhttps://x.org/img/c.png,{WIDE}\n'}, [(("a b.png",),"",CLEAR,"train"),(("c.png",),"",WIDE,"train")])
v("jpg named in table, png on disk", {**P, "t.csv": f'image,report\na.jpg,"{CLEAR}"\nb.jpeg,{WIDE}\n'}, [A,B])
v("float ids", {**pictures("7.png","8.png"), "t.csv": f'id,report\n7.0,"{CLEAR}"\n8.0,{WIDE}\n'}, [(("7.png",),"",CLEAR,"train"),(("8.png",),"",WIDE,"train")])
# fmt: on


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_comes_in_whole(tmp_path: Path, name: str) -> None:
    export = EXPORTS[name]
    source = opened(write_files(tmp_path, export.files))
    source.total()  # as an import asks: what no table names is known then
    cases = list(source)
    assert sorted(brief(cases)) == sorted(export.cases)
    assert [case.error for case in cases if case.error] == []
    assert all(image.data for case in cases for image in case.images)
    assert not export.patients or [case.patient for case in cases] == export.patients
    for case, facts in zip(cases, export.facts, strict=False):
        assert facts.items() <= case.facts.items()
    problems = told(source)
    assert [each for each in export.says if each not in problems] == []


@pytest.mark.parametrize("title", [
    "n° patient", "Codice_Paziente", "paziente", "código do paciente", "num_paciente", "Pasientnummer", "nr_pacjenta",
    "číslo pacienta", "potilasnumero", "hasta_id", "код пациента", "номер пацієнта", "no. rekam medis", "beteg azonosító",
])  # fmt: skip
def test_a_number_of_a_patient_is_known_by_its_title_in_other_languages(title: str) -> None:
    assert identity_of_column(title) is Identity.PATIENT


@pytest.mark.parametrize(
    "title", ["inpatient status", "età paziente", "patient position", "malady", "hospital beds"]
)
def test_other_titles_number_no_patient(title: str) -> None:
    assert identity_of_column(title) is not Identity.PATIENT
