Diagnosis = None
diagnose = None
