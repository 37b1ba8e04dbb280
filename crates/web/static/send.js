// Sends the one form of the page: an answer on its way to an application.
"use strict";
document.forms[0]?.submit();
