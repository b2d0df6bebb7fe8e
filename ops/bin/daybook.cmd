@echo off
rem Runs the program with the pinned Node, whatever node the system has.
"%~dp0..\..\node_modules\.bin\node.cmd" --disable-warning=ExperimentalWarning "%~dp0..\..\src\main.ts" %*
