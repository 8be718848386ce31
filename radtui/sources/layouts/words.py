"""The names that columns go by, in the languages that tables come in, and how names are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

IMAGE = (
    "image", "images", "file_name", "filename", "file_names", "filenames", "file", "files", "image_file_name",
    "image_file", "image_path", "image_paths", "img", "imgs", "img_path", "img_name", "image_name", "path", "paths",
    "figure_path", "image_index", "dicom", "dicom_path", "image_id", "dicom_id", "imageid", "jpg", "png", "picture",
    "bild", "datei", "dateiname", "fichier", "imagen", "archivo", "immagine", "imagem", "arquivo", "afbeelding",
    "图像", "图片", "影像", "文件名", "画像", "ファイル名", "изображение", "файл", "зображення", "파일명", "이미지",
    "plik", "obraz", "soubor", "snimek", "dosya", "görüntü", "fil", "bildefil", "billede", "tiedosto", "kuva", "kép",
    "fájl", "imagine", "fișier", "fisier", "εικόνα", "αρχείο", "gambar", "berkas", "ảnh", "hình_ảnh", "صورة", "תמונה",
    "image_url", "url", "key", "id",
)  # fmt: skip
IMAGE_WORDS = frozenset(
    ("image", "images", "img", "imgs", "file", "files", "filename", "path", "dicom", "picture", "photo", "figure",
     "bild", "datei", "fichier", "imagen", "archivo", "scan", "film", "xray", "radiograph", "id", "name", "uid")
)  # fmt: skip
TEXT = (
    "text", "caption", "report", "reference", "txt", "description", "report_text", "full_report", "captions", "reports",
    "radiology_report", "original_report", "narrative", "sentence", "sentences",
    "befundtext", "bericht", "beschreibung", "rapport", "compte_rendu", "description_text", "informe", "reporte",
    "descripcion", "descripción", "referto", "laudo", "relatorio", "relatório", "verslag", "rapor",
    "报告", "描述", "影像描述", "诊断报告", "报告内容", "所見文", "レポート", "отчет", "отчёт", "описание", "протокол",
    "판독", "판독문", "التقرير", "opis", "raport", "popis", "zpráva", "zprava", "nález", "nalez",
    "utlåtande", "svar", "beskrivelse", "beskrivning", "lausunto", "lelet", "leírás", "descriere", "έκθεση",
    "γνωμάτευση", "περιγραφή", "laporan", "báo_cáo", "mô_tả", "протокол_исследования", "опис", "висновок", "דוח",
)  # fmt: skip
WEAK_TEXT = ("summary", "comment", "comments", "note", "notes", "remark", "value")
"""Names of texts that are taken where there is no report."""
SECTIONS = (
    ("findings", "finding_text", "befund", "befunde", "constatations", "résultats", "resultats", "hallazgos", "reperti",
     "achados", "bevindingen", "bulgular", "所见", "检查所见", "影像所见", "影像表现", "所見", "находки", "소견"),
    ("impression", "impressions", "beurteilung", "conclusion", "impresion", "impresión", "conclusiones", "conclusión",
     "conclusioni", "conclusioni_diagnostiche", "impressão", "impressao", "conclusao", "conclusie", "sonuç", "印象",
     "诊断意见", "影像诊断", "诊断", "診断", "結論", "заключение", "결론"),
)  # fmt: skip
QUESTION = (
    "question", "questions", "query", "instruction", "prompt", "user", "human", "question_text", "frage", "pregunta",
    "domanda", "pergunta", "vraag", "问题", "質問", "вопрос", "질문",
)  # fmt: skip
ANSWER = (
    "answer", "answers", "response", "output", "completion", "reply", "assistant", "gpt", "answer_text", "chosen",
    "solution", "ground_truth", "gt_answer", "correct_answer", "final_answer", "target",
    "antwort", "respuesta", "réponse", "reponse", "risposta", "resposta",
    "答案", "回答", "ответ", "답변",
)  # fmt: skip
CONVERSATION = ("conversations", "messages", "conversation", "dialogue", "dialog", "turns", "chat", "message")
ID = (
    "image_id",
    "id",
    "uid",
    "dicom_id",
    "image_index",
    "source_key",
    "key",
    "name",
    "annotation_id",
    "index",
)
SPLIT = (
    "split",
    "subset",
    "set",
    "partition",
    "data_split",
    "dataset_split",
    "phase",
    "usage",
    "train_test",
    "aufteilung",
)
PATIENT = (
    "patient_id", "patientid", "patient", "subject_id", "subject", "subjectid", "patient_key", "patient_number", "pid",
    "participant_id", "participant", "person_id", "patient_nr", "patienten_id", "patientennummer", "patient_name",
    "id_paciente", "paciente", "id_patient", "患者", "患者id", "mrn",
)  # fmt: skip
PERSON_WORDS = frozenset(
    ("patient", "patients", "pat", "pt", "subject", "participant", "person", "empi", "mrn", "患者", "病人")
)
NUMBER_WORDS = frozenset(
    ("id", "ids", "nr", "no", "num", "number", "key", "code", "uid", "hash", "hashed", "anon", "anonymous",
     "anonymized", "deid", "pseudo", "pseudonym", "case", "fallnummer", "fall", "nummer", "index", "idx", "original",
     "my", "new", "reference", "ref")
)  # fmt: skip
"""What a title may say beside "patient" and still number patients: not "patient_age"."""
EXAM = (
    "study_id", "studyid", "study", "exam_id", "examid", "accession", "accession_number", "study_instance_uid",
    "studyinstanceuid", "study_uid", "encounter_id", "visit_id", "report_id", "uid", "case_id", "series_id",
)  # fmt: skip
EXAMINATION = (
    "examination", "exam", "examination_type", "study_description", "untersuchung", "exam_type", "exam_description",
    "procedure_description", "performed_procedure_step_description", "requested_procedure_description", "procedure",
    "series_description", "protocol_name", "study_desc", "series_desc",
)  # fmt: skip
VIEW = (
    "view", "projection", "view_position", "viewposition", "view_position_dicom", "frontal_lateral", "view_type",
    "role", "image_role", "views", "roles",
)  # fmt: skip
ROLES = frozenset(
    ("frontal", "lateral", "pa", "ap", "ll", "prior", "previous", "current", "left", "right", "cc", "mlo", "lcc", "rcc",
     "lmlo", "rmlo", "front", "side", "first", "second", "before", "after", "baseline", "followup", "axial", "coronal",
     "sagittal", "oblique")
)  # fmt: skip
TRUTH_PARTS = ("finding", "side", "zone", "size")
_NOT_TEXT = frozenset(
    ("id", "ids", "uid", "date", "time", "number", "nr", "no", "path", "file", "name", "type", "length", "len", "count",
     "url", "index", "lang", "language", "source", "status", "hash", "label", "labels", "class", "bbox", "score")
)  # fmt: skip
_HOW_MANY = frozenset(("n", "num", "count", "total", "anzahl"))
_COUNT = frozenset(("count", "counts", "total", "anzahl"))
_SMALL = "a-z\u00df-\u024f\u1e00-\u1eff"  # with all signs, in either case, that Latin letters have elsewhere
_TOKENS = re.compile(
    rf"[A-Z]+(?![{_SMALL}])|[A-Z\u00c0-\u00de]?[{_SMALL}]+|\d+|[^\W\d_A-Z{_SMALL}\u00c0-\u00de]+"
)
_OF_A_PROCEDURE = frozenset(
    ("procedure", "study", "series", "step", "protocol", "exam", "examination", "code", "meaning", "sequence",
     "manufacturer", "device", "station", "modality", "acquisition", "icd", "snomed", "loinc", "cpt")
)  # fmt: skip
"""Words beside "description" in titles of what was done: "PerformedProcedureStepDescription" is no report."""


@cache
def plain(name: str) -> str:
    """A column's name in lower case with one underscore between its words: "Image Index", "imageIndex"."""
    return "_".join(words(name))


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a column's name in lower case."""
    return tuple(word.lower() for word in _TOKENS.findall(unicodedata.normalize("NFC", name)))


def numbered_stem(name: str) -> str:
    """A column's name without the number at its end: "caption_2" is "caption"."""
    return re.sub(r"_?\d+$", "", plain(name))


def names_text(name: str, usual: tuple[str, ...]) -> bool:
    """Whether a name has one of the usual names as a word and nothing that makes it an id, a date or a label."""
    parts = set(words(name))
    return bool(parts & set(usual)) and not parts & _NOT_TEXT and not names_procedure(name)


def counts(name: str) -> bool:
    """Whether a name says how many of something there are: "n_images", "Anzahl Bilder", "image count"."""
    parts = words(name)
    return len(parts) > 1 and (parts[0] in _HOW_MANY or "of" in parts[1:2] or not _COUNT.isdisjoint(parts))


def names_procedure(name: str) -> bool:
    """Whether a column says what was done or with what, as headers of DICOM do; "study_report" is a report."""
    parts = set(words(name))
    described = parts & {"description", "desc", "meaning"}
    return bool(described) and bool((parts - described) & _OF_A_PROCEDURE)
