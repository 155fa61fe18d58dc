from fastapi import APIRouter
def router(is_signed_in):
    return APIRouter()
