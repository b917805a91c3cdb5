"""Edits cells of a spreadsheet in LibreOffice without a screen, as a person would: opens, types, saves.

    libreoffice_edit.py IN OUT PROFILE '[["properties", 2, "visitor.offset", 7], ...]'

A row counts as the file shows it (1 is the heads), a column goes by its head. A number is entered as a number, a text is
typed: into a cell formatted as text it stays text, into another LibreOffice makes of it what it makes of typed text.
"""

import json
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

source, target, profile, edits = sys.argv[1:5]
pipe = "penstock" + str(uno.generateUuid().value.hex())


def option(name, value):
    made = PropertyValue()
    made.Name = name
    made.Value = value
    return made


office = subprocess.Popen(
    [
        "soffice",
        "--headless",
        "--norestore",
        "--nologo",
        "-env:UserInstallation=file://" + profile,
        "--accept=pipe,name=" + pipe + ";urp;",
    ],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for _ in range(300):
    try:
        context = resolver.resolve("uno:pipe,name=" + pipe + ";urp;StarOffice.ComponentContext")
        break
    except NoConnectException:
        time.sleep(0.1)
else:
    office.kill()
    sys.exit("LibreOffice did not start within 30 s")
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
document = desktop.loadComponentFromURL("file://" + source, "_blank", 0, (option("Hidden", True),))
for name, row, column, value in json.loads(edits):
    sheet = document.Sheets.getByName(name)
    heads = {}
    for at in range(500):
        head = sheet.getCellByPosition(at, 0).String
        if head == "":
            break
        heads[head] = at
    cell = sheet.getCellByPosition(heads[column], row - 1)
    if isinstance(value, str):
        cell.FormulaLocal = value
    else:
        cell.Value = value
document.storeToURL("file://" + target, (option("FilterName", "Calc MS Excel 2007 XML"),))
document.close(True)
try:
    desktop.terminate()
except Exception:
    pass  # it hangs up while it goes
office.wait(30)
